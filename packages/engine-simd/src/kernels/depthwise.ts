import * as tf from '@tensorflow/tfjs-core';
import type { ConvolutionAttributes } from '@tfjs-ssl/ops';
import type { Runtime } from '../runtime.ts';
import { DEPTHWISE, DEPTHWISE_FILTER_GRADIENT, DEPTHWISE_INPUT_GRADIENT } from '../task-ids.ts';
import { canFinish, type EpilogueAttributes, type EpilogueInput, finish } from './epilogue.ts';
import { areFloat, ceilDiv, defineKernel, type SimdKernel, sizeOf } from './kernel.ts';
import { reduce } from './reduce.ts';
import { stridedCopy } from './strided-copy.ts';

/** Parts of the filter's gradient that are summed afterwards, at most: a matter of the shape alone. */
const PARTS = 32;

/** Sizes of a depthwise convolution; null where it is of a kind that this engine leaves to the stock kernel (NCHW, empty). */
function depthwiseSizes(
  inputShape: readonly number[],
  filterShape: readonly number[],
  attributes: ConvolutionAttributes,
) {
  const { strides, pad, dimRoundingMode, dataFormat = 'NHWC' } = attributes;
  const dilations = attributes.dilations ?? 1; // tf.layers passes null
  if (dataFormat !== 'NHWC') return null;
  const info = tf.backend_util.computeConv2DInfo(
    inputShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    strides,
    dilations,
    pad,
    dimRoundingMode,
    true,
  );
  const multiplier = filterShape[3] as number;
  const { inHeight, inWidth, outHeight, outWidth, filterHeight, filterWidth, padInfo } = info;
  if (tf.util.sizeFromShape(info.inShape) === 0 || outHeight <= 0 || outWidth <= 0 || multiplier === 0) return null;
  return {
    images: info.batchSize,
    pixels: info.batchSize * inHeight * inWidth,
    height: inHeight,
    channels: info.inChannels,
    multiplier,
    taps: filterHeight * filterWidth,
    outputHeight: outHeight,
    outputShape: info.outShape,
    isPlain: info.dilationHeight === 1 && info.dilationWidth === 1,
    strides: [info.strideHeight, info.strideWidth] as const,
    window: [filterHeight, filterWidth, padInfo.top, padInfo.left] as const,
    sides: [inHeight, inWidth, outHeight, outWidth] as const,
    words: [
      ...[inHeight, inWidth, info.inChannels * multiplier, outHeight, outWidth, filterHeight, filterWidth],
      ...[info.strideHeight, info.strideWidth, padInfo.top, padInfo.left, info.dilationHeight, info.dilationWidth],
    ],
  };
}

type Sizes = NonNullable<ReturnType<typeof depthwiseSizes>>;

/** Calls `use` with the input in which every channel stands as often as it has filters, so that each has one. */
function withRepeatedChannels(runtime: Runtime, s: Sizes, input: number, use: (repeated: number) => void): void {
  if (s.multiplier === 1) {
    use(input);
    return;
  }
  const { multiplier } = s;
  const values = s.pixels * s.channels;
  runtime.withTemporary(values * multiplier * 4, (repeated) => {
    stridedCopy(runtime, input, repeated, [
      { length: multiplier, inputStep: 0, outputStep: 1 },
      { length: values, inputStep: 1, outputStep: multiplier },
    ]);
    use(repeated);
  });
}

function depthwise(runtime: Runtime, s: Sizes, input: number, filter: number, output: number): void {
  withRepeatedChannels(runtime, s, input, (repeated) => {
    runtime.runOnce(s.images * s.outputHeight, DEPTHWISE, repeated, filter, output, ...s.words, s.images, 0, 0);
  });
}

/** The input's gradient where the stride is 1: the convolution of dy by the filter from its end to its beginning. */
function flippedConvolution(runtime: Runtime, s: Sizes, dy: number, filter: number, dx: number): void {
  const [height, width, outputHeight, outputWidth] = s.sides;
  const [filterHeight, filterWidth, top, left] = s.window;
  runtime.runOnce(
    s.images * height,
    ...[DEPTHWISE, dy, filter, dx, outputHeight, outputWidth, s.channels * s.multiplier, height, width],
    ...[filterHeight, filterWidth, 1, 1, filterHeight - 1 - top, filterWidth - 1 - left, 1, 1, s.images, 0, 1],
  );
}

const forward = defineKernel<'x' | 'filter', ConvolutionAttributes>(
  'DepthwiseConv2dNative',
  ({ inputs: { x, filter }, attributes, backend }) => {
    const s = depthwiseSizes(x.shape, filter.shape, attributes);
    if (!s || !areFloat(x, filter)) return null;
    const { info, address } = backend.output(s.outputShape);
    depthwise(backend.runtime, s, backend.address(x), backend.address(filter), address);
    return info;
  },
);

const fused = defineKernel<'x' | 'filter' | EpilogueInput, ConvolutionAttributes & EpilogueAttributes>(
  'FusedDepthwiseConv2D',
  ({ inputs, attributes, backend }) => {
    const { x, filter } = inputs;
    const s = depthwiseSizes(x.shape, filter.shape, attributes);
    if (!s || !areFloat(x, filter) || !canFinish(inputs)) return null;
    const output = backend.output(s.outputShape);
    depthwise(backend.runtime, s, backend.address(x), backend.address(filter), output.address);
    return finish(backend, output, inputs, attributes);
  },
);

const inputGradient = defineKernel<'dy' | 'filter', ConvolutionAttributes & { inputShape: number[] }>(
  'DepthwiseConv2dNativeBackpropInput',
  ({ inputs: { dy, filter }, attributes, backend }) => {
    const s = depthwiseSizes(attributes.inputShape, filter.shape, attributes);
    if (!s || !areFloat(dy, filter)) return null;
    const { runtime } = backend;
    const { info, address } = backend.output(attributes.inputShape);
    const [from, by] = [backend.address(dy), backend.address(filter)];
    const compute = (target: number) => {
      if (s.isPlain && s.strides.every((stride) => stride === 1))
        return flippedConvolution(runtime, s, from, by, target);
      runtime.runOnce(s.images * s.height, DEPTHWISE_INPUT_GRADIENT, target, by, from, ...s.words, s.images, 0, 0);
    };
    if (s.multiplier === 1) {
      compute(address);
    } else {
      const outer = s.pixels * s.channels;
      runtime.withTemporary(outer * s.multiplier * 4, (repeated) => {
        compute(repeated);
        const sizes = { outer, length: s.multiplier, inner: 1, scale: 1 };
        reduce(runtime, { operation: 'sum', input: repeated, output: address, ...sizes });
      });
    }
    return info;
  },
);

const filterGradient = defineKernel<'x' | 'dy', ConvolutionAttributes & { filterShape: number[] }>(
  'DepthwiseConv2dNativeBackpropFilter',
  ({ inputs: { x, dy }, attributes, backend }) => {
    const s = depthwiseSizes(x.shape, attributes.filterShape, attributes);
    if (!s || !areFloat(x, dy)) return null;
    const { runtime } = backend;
    const { info, address } = backend.output(attributes.filterShape);
    const by = backend.address(dy);
    const partImages = ceilDiv(s.images, PARTS);
    const parts = ceilDiv(s.images, partImages);
    const size = sizeOf(info);
    withRepeatedChannels(runtime, s, backend.address(x), (repeated) => {
      runtime.withTemporary(parts * size * 4, (sums) => {
        const words = [repeated, sums, by, ...s.words, s.images, partImages, 0];
        runtime.runOnce(parts, DEPTHWISE_FILTER_GRADIENT, ...words);
        const sizes = { outer: 1, length: parts, inner: size, scale: 1 };
        reduce(runtime, { operation: 'sum', input: sums, output: address, ...sizes });
      });
    });
    return info;
  },
);

/** Convolutions by one filter per channel, and their gradients. */
export const depthwiseKernels: readonly SimdKernel[] = [forward, fused, inputGradient, filterGradient];
