import type * as tf from '@tensorflow/tfjs-core';
import type { AugmentStage } from '@tfjs-ssl/ops';
import { floatBits, type Runtime } from '../runtime.ts';
import { AUGMENT_IMAGES } from '../task-ids.ts';
import { ceilDiv, defineOpKernel, type SimdKernel } from './kernel.ts';

type Size = readonly [height: number, width: number];

/** Kinds of stages by number, as `assembly/augment.ts` has them. */
const kinds: readonly AugmentStage['kind'][] = [
  'resizedCrop',
  'horizontalFlip',
  'solarize',
  'colorJitter',
  'grayscale',
  'gaussianBlur',
  'normalize',
];
const STAGE_WORDS = 8;

/** The words that describe a stage: its kind, then what is the same for all images. */
function stageWords(stage: AugmentStage): number[] {
  const words = [kinds.indexOf(stage.kind)];
  if (stage.kind === 'resizedCrop') words.push(...stage.size, stage.antialias ? 1 : 0);
  if (stage.kind === 'gaussianBlur') words.push(stage.kernelSize);
  if (stage.kind === 'normalize') words.push(...stage.mean.map(floatBits), ...stage.std.map(floatBits));
  return [...words, ...Array<number>(STAGE_WORDS - words.length).fill(0)];
}

/** Bytes of an image in three planes; a plane has room for its last row's last vector to run over. */
const planesBytes = ([height, width]: Size): number => 3 * 4 * ((height * width + 7) & ~3);

/** Weights kept for each pixel of a crop's output: those of the largest box, an image of `from` pixels. */
const tapStride = (from: number, to: number): number => 2 * ceilDiv(Math.max(from, to), to) + 2;

/** Memory that a thread needs: for an image in planes, and for weights and lines. */
function workspace(stages: readonly AugmentStage[], imageSize: Size): { bufferBytes: number; extraBytes: number } {
  let size = imageSize;
  let bufferBytes = planesBytes(size);
  let extraWords = 0;
  for (const stage of stages) {
    const [height, width] = size;
    if (stage.kind === 'resizedCrop') {
      const [toHeight, toWidth] = stage.size;
      const [rowTaps, columnTaps] = [tapStride(height, toHeight), tapStride(width, toWidth)];
      const padded = 4 * ceilDiv(toWidth, 4);
      extraWords = Math.max(extraWords, padded * (1 + columnTaps) + rowTaps + 3 * (width + columnTaps) + 4);
      size = stage.size;
      bufferBytes = Math.max(bufferBytes, planesBytes(size));
    }
    // A line with its borders, and the vectors that look past its end.
    if (stage.kind === 'gaussianBlur') extraWords = Math.max(extraWords, 2 * stage.kernelSize + width + 16);
  }
  return { bufferBytes, extraBytes: 64 * ceilDiv(4 * extraWords, 64) };
}

/** What a job of views is made of; addresses. */
interface Views {
  /** Floats of the images, or the table of where their bytes are. */
  readonly images: number;
  readonly packed: boolean;
  readonly count: number;
  readonly imageSize: Size;
  readonly parameters: number;
  readonly columns: number;
  readonly stages: readonly AugmentStage[];
  readonly views: number;
  readonly output: number;
}

/** Makes all views as one job, a view a task. */
function makeViews(runtime: Runtime, v: Views): void {
  const { bufferBytes, extraBytes } = workspace(v.stages, v.imageSize);
  const workBytes = 2 * bufferBytes + extraBytes;
  runtime.withTemporary(runtime.threads * workBytes, (work) => {
    runtime.runOnce(
      v.views,
      ...[AUGMENT_IMAGES, v.images, v.parameters, v.output, work, workBytes, bufferBytes, v.count, ...v.imageSize],
      ...[v.columns, v.packed ? 1 : 0, v.stages.length, ...v.stages.flatMap(stageWords)],
    );
  });
}

/** The augmentation chain on float images. */
const augmentImages = defineOpKernel(
  'AugmentImages',
  ({ inputs: { images, parameters }, attributes: { stages, size }, backend }) => {
    const [count, height, width] = images.shape as [number, number, number, number];
    const [views, columns] = parameters.shape as [number, number];
    const { info, address } = backend.output([views, ...size, 3]);
    makeViews(backend.runtime, {
      ...{ images: backend.address(images), packed: false, count, imageSize: [height, width] },
      ...{ parameters: backend.address(parameters), columns, stages, views, output: address },
    });
    return info;
  },
);

/** The augmentation chain on 8-bit images, of which those that are wanted are copied to where the threads see them. */
const augmentPackedImages = defineOpKernel(
  'AugmentPackedImages',
  ({ inputs, attributes: { shards, imageSize, stages, size }, backend }) => {
    const { runtime } = backend;
    const indices = backend.values(inputs.indices as tf.TensorInfo) as Int32Array;
    const count = indices.length;
    const { parameters } = inputs;
    const [views, columns] = (parameters?.shape ?? [count, 0]) as [number, number];
    const { info, address } = backend.output([views, ...size, 3]);
    const parts = Array.from({ length: shards }, (_, i) => inputs[`shard${i}`] as tf.TensorInfo);
    const [perShard, words] = parts[0]!.shape as [number, number];
    const values = parts.map((shard) => backend.values(shard) as Int32Array);
    runtime.withTemporary(count * (words + 1) * 4, (table) => {
      const bytes = table + count * 4;
      indices.forEach((index, n) => {
        const first = (index % perShard) * words;
        const image = index < 0 ? undefined : values[Math.floor(index / perShard)]?.subarray(first, first + words);
        const isThere = image?.length === words;
        runtime.words[table / 4 + n] = isThere ? bytes + n * words * 4 : 0;
        if (isThere) runtime.words.set(image, bytes / 4 + n * words);
      });
      makeViews(runtime, {
        ...{ images: table, packed: true, count, imageSize, stages, views, columns, output: address },
        parameters: parameters ? backend.address(parameters) : 0,
      });
    });
    return info;
  },
);

/** The fused augmentation chain. */
export const augmentKernels: readonly SimdKernel[] = [augmentImages, augmentPackedImages];
