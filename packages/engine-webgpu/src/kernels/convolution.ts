import type * as tf from '@tensorflow/tfjs-core';
import { type ConvolutionAttributes, type ConvolutionGeometry, convolutionGeometry } from '@tfjs-ssl/ops';
import type { GpuBackend } from '../backend.ts';
import type { Computation } from '../later-results.ts';
import { filterGradientProduct, forwardProduct, inputGradientProduct } from '../product/convolution-products.ts';
import type { Epilogue } from '../product/product.ts';
import { computeProduct, type ProductTensors, runProduct } from '../product/run-product.ts';
import { type Activation, activate } from './activation.ts';
import { areFloat, defineKernel, type GpuKernel, sizeOf } from './kernel.ts';

/** Whether there is anything to compute. */
function isEmpty(g: ConvolutionGeometry): boolean {
  return g.images * g.height * g.width * g.channels * g.outputHeight * g.outputWidth * g.outputChannels === 0;
}

/** Sizes of a convolution that kernels here compute: float32, not empty, NHWC, without dilation; null for others. */
function covered(
  inputShape: readonly number[],
  filterShape: readonly number[],
  attributes: ConvolutionAttributes,
  tensors: readonly tf.TensorInfo[],
): ConvolutionGeometry | null {
  const g = convolutionGeometry(inputShape, filterShape, attributes);
  return g && !isEmpty(g) && areFloat(...tensors) ? g : null;
}

const outputShape = (g: ConvolutionGeometry): number[] => [g.images, g.outputHeight, g.outputWidth, g.outputChannels];

const matches = (g: ConvolutionGeometry, dy: tf.TensorInfo): boolean =>
  sizeOf(dy) === outputShape(g).reduce((size, length) => size * length, 1);

/** The convolution; its result is an activation. */
function convolve(backend: GpuBackend, g: ConvolutionGeometry, tensors: ProductTensors, epilogue?: Epilogue) {
  const shape = outputShape(g);
  return runProduct(backend, forwardProduct(g, epilogue), tensors, shape, { half: backend.storesHalf(shape) });
}

interface FusedAttributes extends ConvolutionAttributes, Activation {}

function fused(
  backend: GpuBackend,
  g: ConvolutionGeometry,
  { x, filter, bias, preluActivationWeights }: Record<FusedInput, tf.TensorInfo | undefined>,
  attributes: FusedAttributes,
): tf.TensorInfo {
  const relu = attributes.activation === 'relu';
  const tensors = { left: x as tf.TensorInfo, right: filter as tf.TensorInfo, ...(bias ? { bias } : {}) };
  const y = convolve(backend, g, tensors, { bias: bias !== undefined, relu });
  return relu ? y : activate(backend, y, attributes, preluActivationWeights);
}

type FusedInput = 'x' | 'filter' | 'bias' | 'preluActivationWeights';

/** The convolution, alone and fused with bias and activation, and its two gradients. */
export const convolutionKernels: readonly GpuKernel[] = [
  defineKernel<'x' | 'filter', ConvolutionAttributes>('Conv2D', ({ inputs: { x, filter }, attributes, backend }) => {
    const g = covered(x.shape, filter.shape, attributes, [x, filter]);
    return g && convolve(backend, g, { left: x, right: filter });
  }),
  defineKernel<FusedInput, FusedAttributes>('FusedConv2D', ({ inputs, attributes, backend }) => {
    const { x, filter, bias } = inputs;
    const g = covered(x.shape, filter.shape, attributes, bias ? [x, filter, bias] : [x, filter]);
    if (!g || (bias && sizeOf(bias) !== g.outputChannels)) return null;
    return fused(backend, g, inputs, attributes);
  }),
  defineKernel<'dy' | 'filter', ConvolutionAttributes & { inputShape: number[] }>(
    'Conv2DBackpropInput',
    ({ inputs: { dy, filter }, attributes, backend }) => {
      const g = covered(attributes.inputShape, filter.shape, attributes, [dy, filter]);
      if (!g || !matches(g, dy)) return null;
      const { inputShape } = attributes;
      const compute: Computation = (result, addend) => {
        const tensors = { left: dy, right: filter, result, ...(addend ? { addend } : {}) };
        computeProduct(backend, inputGradientProduct(g, addend !== undefined), tensors);
      };
      return backend.later(inputShape, [dy, filter], compute, backend.storesHalf(inputShape));
    },
  ),
  defineKernel<'x' | 'dy', ConvolutionAttributes & { filterShape: number[] }>(
    'Conv2DBackpropFilter',
    ({ inputs: { x, dy }, attributes, backend }) => {
      const g = covered(x.shape, attributes.filterShape, attributes, [x, dy]);
      if (!g || !matches(g, dy)) return null;
      return runProduct(backend, filterGradientProduct(g), { left: x, right: dy }, attributes.filterShape);
    },
  ),
];
