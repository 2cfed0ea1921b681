import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { epochOrder } from './epoch-order.ts';
import type { ImageDataset } from './image-dataset.ts';

/** Options of `batches`. */
export interface BatchesOptions {
  /** Images in a batch. */
  readonly batchSize: number;
  readonly seed: number | string;
  /** Index of the epoch, from 0. Every epoch has its own order. */
  readonly epoch: number;
  /** Step of the epoch to start from, counted from 0: a resumed run skips the batches it has already used. Default 0. */
  readonly startStep?: number;
  /** Leaves out the last batch when it is not full; default true. */
  readonly dropLast?: boolean;
  /** Reads the pixels; default true. With false, `images` is empty: for engines that keep the data set themselves. */
  readonly readImages?: boolean;
  /** Which of `count` equal parts of every batch to yield, for processes that train on one batch together. Default: all of it. */
  readonly part?: { readonly index: number; readonly count: number };
}

/** One batch of an epoch. */
export interface Batch {
  readonly epoch: number;
  /** Step within the epoch, counted from 0. */
  readonly step: number;
  /** Positions in the data set, shape [batchSize] (or that of the part), int32. */
  readonly indices: Int32Array;
  /** Shape [batchSize, height, width, 3], uint8; the batch's own, never written again. Empty with `readImages: false`. */
  readonly images: Uint8Array;
  /** Shape [batchSize], int32. */
  readonly labels: Int32Array;
}

/** Number of batches in an epoch. */
export function stepsPerEpoch(length: number, batchSize: number, dropLast = true): number {
  return dropLast ? Math.floor(length / batchSize) : Math.ceil(length / batchSize);
}

/**
 * Yields one epoch of shuffled batches. It reads the next batch while the caller works on the current one.
 *
 * You can leave the loop early: it waits for the read in progress. The data set stays open.
 *
 * @param dataset - the source of the images: an {@link ImageDataset}, or an object with the fields used here.
 * @returns batches from `startStep` on, in the order of `epochOrder`.
 * @throws RangeError for a batch size, epoch, start or part that does not fit the data set.
 * @example
 * ```ts
 * import { batches, generatedImages } from '@tfjs-ssl/datasets';
 *
 * const dataset = generatedImages({ classes: 4, imagesPerClass: 8, size: 16, seed: 1 });
 * for await (const { step, images, labels } of batches(dataset, { batchSize: 8, seed: 1, epoch: 0 })) {
 *   console.log(step, images.length, labels);
 * }
 * ```
 */
export async function* batches(
  dataset: Pick<ImageDataset, 'length' | 'labels' | 'read'>,
  options: BatchesOptions,
): AsyncGenerator<Batch, void, undefined> {
  const { batchSize, seed, epoch, startStep = 0, dropLast = true, readImages = true, part } = options;
  const { length, labels } = dataset;
  const sizes = dropLast ? { min: 1, max: length, integer: true } : { min: 1, integer: true };
  checkNumber('batches', 'batchSize', batchSize, sizes, `The data set has ${length} images.`);
  const steps = stepsPerEpoch(length, batchSize, dropLast);
  checkNumber(
    'batches',
    'startStep',
    startStep,
    { min: 0, max: steps, integer: true },
    `The epoch has ${steps} steps.`,
  );
  checkPart(batchSize, dropLast, part);
  const order = epochOrder({ length, seed, epoch });
  const size = batchSize / (part?.count ?? 1);
  const offset = size * (part?.index ?? 0);

  const readBatch = async (step: number): Promise<Batch> => {
    const from = step * batchSize + offset;
    const indices = order.slice(from, from + size);
    const images = readImages ? await dataset.read(indices) : new Uint8Array(0);
    return { epoch, step, indices, images, labels: indices.map((index) => labels[index]!) };
  };
  const readAhead = (step: number): Promise<Batch> | undefined => {
    if (step >= steps) return undefined;
    const reading = readBatch(step);
    reading.catch(() => {}); // awaited below; until then a failure must not count as unhandled
    return reading;
  };

  let ahead = readAhead(startStep);
  try {
    for (let step = startStep; step < steps; step++) {
      const batch = (await ahead) as Batch;
      ahead = readAhead(step + 1);
      yield batch;
    }
  } finally {
    await ahead?.catch(() => {});
  }
}

function checkPart(batchSize: number, dropLast: boolean, part: BatchesOptions['part']): void {
  if (!part) return;
  const { index, count } = part;
  checkNumber('batches', 'part.count', count, { min: 1, integer: true }, 'It is the number of processes.');
  checkNumber('batches', 'part.index', index, { min: 0, max: count - 1, integer: true }, 'The first part is 0.');
  if (dropLast && batchSize % count === 0) return;
  throw argumentError({
    fn: 'batches',
    argument: 'batchSize',
    required: `be a multiple of the ${count} parts, with dropLast`,
    got: batchSize,
    advice: 'Every process needs as many images of every batch: use another size or number of processes.',
  });
}
