import type * as tf from '@tensorflow/tfjs-core';
import type { AugmentStage } from '@tfjs-ssl/ops';
import type { GpuBackend } from '../backend.ts';
import { type Binding, dispatch, workgroupGrid } from '../dispatch.ts';
import { u32 } from '../uniform-cache.ts';
import { BLUR_TILE, blurCode, blurMemory, viewCode } from './augment-code.ts';
import { type ImageSize, planSegments, type Segment } from './augment-plan.ts';
import type { ImageSource } from './augment-source-code.ts';
import { defineOpKernel, type GpuKernel, sizeOf } from './kernel.ts';

/** Images that views are made of. */
interface Images {
  readonly source: ImageSource;
  readonly bindings: readonly Binding[];
  /** Number of images of the batch; view r is made of image r mod count. */
  readonly count: number;
  /** Packed images in all, and in a shard. */
  readonly stored?: number;
  readonly perShard?: number;
}

/** Runs a chain, one dispatch for each of its segments. */
function augment(
  backend: GpuBackend,
  first: Images,
  parameters: tf.TensorInfo | undefined,
  views: number,
  imageSize: ImageSize,
  stages: readonly AugmentStage[],
): tf.TensorInfo {
  const columns = parameters?.shape[1] ?? 0;
  let images = first;
  let made: tf.TensorInfo | undefined;
  for (const segment of planSegments(stages, imageSize)) {
    const output = backend.output([views, ...segment.to, 3]);
    runSegment(backend, segment, images, parameters, output, columns);
    if (made) backend.disposeData(made.dataId);
    made = output;
    images = { source: { kind: 'views' }, bindings: [{ name: 'images', from: output }], count: views };
  }
  return made as tf.TensorInfo;
}

function runSegment(
  backend: GpuBackend,
  segment: Segment,
  { source, bindings, count, stored = 0, perShard = 1 }: Images,
  parameters: tf.TensorInfo | undefined,
  output: tf.TensorInfo,
  columns: number,
): void {
  const views = output.shape[0] as number;
  const blur = segment.spatial?.stage.kind === 'gaussianBlur' ? segment.spatial.stage : null;
  const inMemory = blur !== null && blurMemory(blur.kernelSize) <= backend.device.limits.maxComputeWorkgroupStorageSize;
  const tiles = blur ? Math.ceil(segment.to[0] / BLUR_TILE) * Math.ceil(segment.to[1] / BLUR_TILE) : 1;
  dispatch(backend, {
    key: `${blur ? 'AugmentBlur' : 'AugmentViews'} ${JSON.stringify([segment, source, columns, inMemory])}`,
    bindings: [
      ...bindings,
      ...(parameters ? [{ name: 'parameters', from: parameters }] : []),
      { name: 'output', from: output, access: 'read_write' },
    ],
    uniforms: { views: u32(views), images: u32(count), stored: u32(stored), perShard: u32(perShard) },
    code: () => (blur ? blurCode(segment, source, columns, inMemory) : viewCode(segment, source, columns)),
    workgroups: workgroupGrid(backend, views * tiles),
    // of a whole data set only the images of the batch are read
    ...(source.kind === 'packed' && {
      work: { bytes: 3 * views * segment.from[0] * segment.from[1] + 4 * (views * columns + sizeOf(output)) },
    }),
  });
}

const augmentImages = defineOpKernel(
  'AugmentImages',
  ({ inputs: { images, parameters }, attributes: { stages }, backend }) => {
    const [count, height, width] = images.shape as [number, number, number, number];
    const floats: Images = { source: { kind: 'floats' }, bindings: [{ name: 'images', from: images }], count };
    return augment(backend, floats, parameters, parameters.shape[0] as number, [height, width], stages);
  },
);

const augmentPackedImages = defineOpKernel(
  'AugmentPackedImages',
  ({ inputs, attributes: { shards: count, imageSize, stages }, backend }) => {
    const indices = inputs.indices as tf.TensorInfo;
    const { parameters } = inputs;
    const shards = Array.from({ length: count }, (_, i) => inputs[`shard${i}`] as tf.TensorInfo);
    const packed: Images = {
      source: { kind: 'packed', shards: count },
      bindings: [
        ...shards.map((from, i) => ({ name: `shard${i}`, type: 'array<u32>', from })),
        { name: 'indices', type: 'array<i32>', from: indices },
      ],
      count: indices.shape[0] as number,
      stored: shards.reduce((sum, { shape }) => sum + (shape[0] as number), 0),
      perShard: (shards[0] as tf.TensorInfo).shape[0] as number,
    };
    return augment(backend, packed, parameters, (parameters ?? indices).shape[0] as number, imageSize, stages);
  },
);

/** The fused augmentation chain, of float images and of packed ones. */
export const augmentKernels: readonly GpuKernel[] = [augmentImages, augmentPackedImages];
