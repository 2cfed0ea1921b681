import { argumentError } from '@tfjs-ssl/checks';
import { checkSameOnRanks, type World } from '@tfjs-ssl/ops';

/** What all ranks of a feed must have in common. */
interface Shared {
  readonly images: {
    readonly length: number;
    readonly imageShape: readonly number[];
    readonly labels?: Int32Array;
    read(indices: ArrayLike<number>): Promise<Uint8Array>;
  };
  readonly batchSize: number;
  /** Whatever else decides the numbers, fit for JSON. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/**
 * Which part of every batch this process takes: all of it without a world.
 *
 * @throws Error on all ranks if they have different images or settings, labels and the first image standing for all pixels; RangeError if they
 * cannot divide a batch.
 */
export async function partOfBatch(world: World | undefined, shared: Shared): Promise<{ index: number; count: number }> {
  if (!world) return { index: 0, count: 1 };
  const { images, batchSize, settings } = shared;
  const { length, imageShape, labels } = images;
  checkSameOnRanks(world, 'imageFeed', {
    batchSize,
    ...settings,
    images: length,
    imageShape,
    'checksum of the labels': labels ? checksum(labels) : null,
    'checksum of the first image': length > 0 ? checksum(await images.read(Int32Array.of(0))) : null,
  });
  if (batchSize % world.size === 0) return { index: world.rank, count: world.size };
  throw argumentError({
    fn: 'imageFeed',
    argument: 'batchSize',
    required: `be a multiple of the ${world.size} ranks, which take equal parts`,
    got: batchSize,
    advice: 'Use another batch size or number of ranks.',
  });
}

function checksum(values: Int32Array | Uint8Array): number {
  let sum = 0;
  for (const value of values) sum = (Math.imul(sum, 31) + value) | 0;
  return sum;
}
