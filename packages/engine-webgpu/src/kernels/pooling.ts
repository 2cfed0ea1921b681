import * as tf from '@tensorflow/tfjs-core';
import { dispatch, workgroupGrid } from '../dispatch.ts';
import { i32, u32 } from '../uniform-cache.ts';
import { valueType } from './channel-tiles.ts';
import { defineKernel, defineOpKernel, type GpuKernel, sizeOf } from './kernel.ts';
import { globalAverageCode, globalAverageGradientCode, maxPoolCode, maxPoolGradientCode } from './pooling-code.ts';

interface PoolAttributes {
  readonly filterSize: [number, number] | number;
  readonly strides: [number, number] | number;
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

const THREADS = 256;

/** Sizes of a pooling as its kernels read them; null where a window lies outside of the image, or there is nothing to compute. */
function poolSizes(shape: readonly number[], { filterSize, strides, pad, dimRoundingMode }: PoolAttributes) {
  const info = tf.backend_util.computePool2DInfo(
    shape as [number, number, number, number],
    ...([filterSize, strides, 1, pad, dimRoundingMode] as const),
  );
  const { inHeight, inWidth, inChannels, outHeight, outWidth, filterHeight, filterWidth, strideHeight, strideWidth } =
    info;
  const { top, left } = info.padInfo;
  if (outHeight <= 0 || outWidth <= 0 || tf.util.sizeFromShape(info.inShape) === 0) return null;
  if (top >= filterHeight || left >= filterWidth) return null;
  if ((outHeight - 1) * strideHeight - top >= inHeight || (outWidth - 1) * strideWidth - left >= inWidth) return null;
  const width: 1 | 4 = inChannels % 4 === 0 ? 4 : 1;
  return {
    width,
    outputShape: info.outShape,
    uniforms: {
      ...{ height: i32(inHeight), width: i32(inWidth), channels: i32(inChannels / width) },
      ...{ outputHeight: i32(outHeight), outputWidth: i32(outWidth) },
      ...{ filterHeight: i32(filterHeight), filterWidth: i32(filterWidth) },
      ...{ strideY: i32(strideHeight), strideX: i32(strideWidth), top: i32(top), left: i32(left) },
    },
  };
}

const maxPool = defineKernel<'x', PoolAttributes>('MaxPool', ({ inputs: { x }, attributes, backend }) => {
  const sizes = x.dtype === 'float32' ? poolSizes(x.shape, attributes) : null;
  if (!sizes) return null;
  const { width, outputShape, uniforms } = sizes;
  const output = backend.output(outputShape, { half: backend.storesHalf(outputShape, x) });
  const size = sizeOf(output) / width;
  const value = valueType(width);
  dispatch(backend, {
    key: `MaxPool ${width}`,
    bindings: [
      { name: 'x', from: x, value },
      { name: 'output', from: output, value, access: 'read_write' },
    ],
    uniforms: { ...uniforms, size: i32(size) },
    code: (memory) => maxPoolCode(width, memory),
    workgroups: workgroupGrid(backend, Math.ceil(size / THREADS)),
  });
  return output;
});

const maxPoolGradient = defineKernel<'dy' | 'input' | 'output', PoolAttributes>('MaxPoolGrad', (call) => {
  const { inputs, attributes, backend } = call;
  const { dy, input: x, output } = inputs;
  const sizes = [dy, x, output].every((tensor) => tensor?.dtype === 'float32') ? poolSizes(x.shape, attributes) : null;
  if (!sizes) return null;
  const { width, uniforms } = sizes;
  const dx = backend.output(x.shape, { half: backend.storesHalf(x.shape, x) });
  const size = sizeOf(dx) / width;
  const value = valueType(width);
  dispatch(backend, {
    key: `MaxPoolGradient ${width}`,
    bindings: [
      { name: 'dy', from: dy, value },
      { name: 'x', from: x, value },
      { name: 'output', from: output, value },
      { name: 'dx', from: dx, value, access: 'read_write' },
    ],
    uniforms: { ...uniforms, size: i32(size) },
    code: (memory) => maxPoolGradientCode(width, memory),
    workgroups: workgroupGrid(backend, Math.ceil(size / THREADS)),
  });
  return dx;
});

const globalAveragePool = defineOpKernel('GlobalAveragePool', ({ inputs: { x }, backend }) => {
  const [images, height, width, channels] = x.shape as [number, number, number, number];
  const output = backend.output([images, channels]);
  if (sizeOf(x) === 0) return output;
  dispatch(backend, {
    key: 'GlobalAveragePool',
    bindings: [
      { name: 'x', from: x, value: 'f32' },
      { name: 'output', from: output, access: 'read_write' },
    ],
    uniforms: { images: u32(images), positions: u32(height * width), channels: u32(channels) },
    code: globalAverageCode,
    workgroups: [Math.ceil(channels / 16), Math.min(images, 1 << 15), Math.ceil(images / (1 << 15))],
  });
  return output;
});

const globalAveragePoolGradient = defineOpKernel(
  'GlobalAveragePoolGrad',
  ({ inputs: { dy }, attributes: { inputShape }, backend }) => {
    const [, height, imageWidth, channels] = inputShape;
    const width = channels % 4 === 0 ? 4 : 1;
    const dx = backend.output(inputShape, { half: backend.storesHalf(inputShape) });
    const size = sizeOf(dx) / width;
    if (size === 0) return dx;
    const value = valueType(width);
    dispatch(backend, {
      key: `GlobalAveragePoolGradient ${width}`,
      bindings: [
        { name: 'dy', from: dy, value },
        { name: 'dx', from: dx, value, access: 'read_write' },
      ],
      uniforms: { size: u32(size), positions: u32(height * imageWidth), channels: u32(channels / width) },
      code: (memory) => globalAverageGradientCode(width, memory),
      workgroups: workgroupGrid(backend, Math.ceil(size / THREADS)),
    });
    return dx;
  },
);

/** Pooling and its gradients. */
export const poolingKernels: readonly GpuKernel[] = [
  maxPool,
  maxPoolGradient,
  globalAveragePool,
  globalAveragePoolGradient,
];
