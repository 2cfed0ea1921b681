import * as tf from '@tensorflow/tfjs-core';
import {
  AVERAGE_POOL,
  AVERAGE_POOL_GRADIENT,
  GLOBAL_AVERAGE_POOL_GRADIENT,
  MAX_POOL,
  MAX_POOL_GRADIENT,
} from '../task-ids.ts';
import { areFloat, ceilDiv, defineKernel, defineOpKernel, type SimdKernel, sizeOf } from './kernel.ts';
import { reduce } from './reduce.ts';

interface PoolAttributes {
  readonly filterSize: [number, number] | number;
  readonly strides: [number, number] | number;
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** Sizes of a pooling as the job descriptor has them, or null for what is left to the stock kernel. */
function poolSizes(shape: readonly number[], { filterSize, strides, pad, dimRoundingMode }: PoolAttributes) {
  const info = tf.backend_util.computePool2DInfo(
    shape as [number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  if (info.outHeight <= 0 || info.outWidth <= 0 || tf.util.sizeFromShape(info.inShape) === 0) return null;
  // What TensorFlow.js takes for the identity, whatever stride and padding say.
  if (info.filterHeight * info.filterWidth === 1 && tf.util.arraysEqual(info.inShape, info.outShape)) return null;
  const { inHeight, inWidth, inChannels, outHeight, outWidth, filterHeight, filterWidth, padInfo } = info;
  return {
    images: info.batchSize,
    height: inHeight,
    outputHeight: outHeight,
    outputShape: info.outShape,
    /** Numbers in a line of the output. */
    outputLine: outWidth * inChannels,
    filterHeight,
    strideY: info.strideHeight,
    words: [
      ...[inHeight, inWidth, inChannels, outHeight, outWidth, filterHeight, filterWidth],
      ...[info.strideHeight, info.strideWidth, padInfo.top, padInfo.left],
    ],
  };
}

const maxPool = defineKernel<'x', PoolAttributes>('MaxPool', ({ inputs: { x }, attributes, backend }) => {
  const sizes = poolSizes(x.shape, attributes);
  if (!sizes || !areFloat(x)) return null;
  const { info, address } = backend.output(sizes.outputShape);
  backend.runtime.runOnce(sizes.images, MAX_POOL, backend.address(x), address, 0, ...sizes.words);
  return info;
});

const maxPoolGradient = defineKernel<'dy' | 'input', PoolAttributes>('MaxPoolGrad', (call) => {
  const { inputs, attributes, backend } = call;
  const sizes = poolSizes(inputs.input.shape, attributes);
  if (!sizes || !areFloat(inputs.dy, inputs.input)) return null;
  const { info, address } = backend.output(inputs.input.shape);
  const [x, dy] = [backend.address(inputs.input), backend.address(inputs.dy)];
  const { runtime } = backend;
  const lines = ceilDiv(sizes.filterHeight, sizes.strideY);
  const places = lines * sizes.outputLine * 4;
  runtime.withTemporary(runtime.threads * places, (work) => {
    runtime.runOnce(sizes.images, MAX_POOL_GRADIENT, x, dy, address, ...sizes.words, work, places, lines);
  });
  return info;
});

const averagePool = defineKernel<'x', PoolAttributes>('AvgPool', ({ inputs: { x }, attributes, backend }) => {
  const sizes = poolSizes(x.shape, attributes);
  if (!sizes || !areFloat(x)) return null;
  const { info, address } = backend.output(sizes.outputShape);
  const tasks = sizes.images * sizes.outputHeight;
  backend.runtime.runOnce(tasks, AVERAGE_POOL, backend.address(x), address, ...sizes.words);
  return info;
});

const averagePoolGradient = defineKernel<'dy' | 'input', PoolAttributes>('AvgPoolGrad', (call) => {
  const { inputs, attributes, backend } = call;
  const sizes = poolSizes(inputs.input.shape, attributes);
  if (!sizes || !areFloat(inputs.dy, inputs.input)) return null;
  const { info, address } = backend.output(inputs.input.shape);
  const tasks = sizes.images * sizes.height;
  backend.runtime.runOnce(tasks, AVERAGE_POOL_GRADIENT, address, backend.address(inputs.dy), ...sizes.words);
  return info;
});

const globalAveragePool = defineOpKernel('GlobalAveragePool', ({ inputs: { x }, backend }) => {
  const [images, height, width, channels] = x.shape as [number, number, number, number];
  const { info, address } = backend.output([images, channels]);
  const length = height * width;
  const sizes = { outer: images, length, inner: channels, scale: 1 / length };
  reduce(backend.runtime, { operation: 'sum', input: backend.address(x), output: address, ...sizes });
  return info;
});

const globalAveragePoolGradient = defineOpKernel(
  'GlobalAveragePoolGrad',
  ({ inputs: { dy }, attributes: { inputShape }, backend }) => {
    const [images, height, width, channels] = inputShape;
    const { info, address } = backend.output(inputShape);
    if (sizeOf(info) === 0) return info;
    backend.runtime.runOnce(
      images,
      GLOBAL_AVERAGE_POOL_GRADIENT,
      backend.address(dy),
      address,
      height * width,
      channels,
    );
    return info;
  },
);

/** Pooling and its gradients. */
export const poolingKernels: readonly SimdKernel[] = [
  maxPool,
  maxPoolGradient,
  averagePool,
  averagePoolGradient,
  globalAveragePool,
  globalAveragePoolGradient,
];
