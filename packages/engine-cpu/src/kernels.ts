import * as tf from '@tensorflow/tfjs-core';
import { convolve, convolveFilterGradient, convolveInputGradient } from './convolution.ts';
import { multiplyMatrices } from './matrix-product.ts';
import { maxPool } from './pooling.ts';

/** What the kernels need of TensorFlow.js's cpu backend. */
interface CpuBackend {
  readonly data: { get(dataId: object): { values: Float32Array } };
  makeTensorInfo(shape: number[], dtype: tf.DataType, values: Float32Array): tf.TensorInfo;
}

type Tensors = Record<string, tf.TensorInfo>;
// biome-ignore lint/suspicious/noExplicitAny: every kernel has attributes of its own
type Attributes = Record<string, any>;

/** Computes a kernel, or says by null that TensorFlow.js's own kernel has to. */
type Compute = (values: (tensor: tf.TensorInfo) => Float32Array, inputs: Tensors, attrs: Attributes) => Result | null;
type Result = { readonly shape: number[]; readonly values: Float32Array };

const conv2dInfo = (
  inputShape: number[],
  filterShape: number[],
  attrs: Attributes,
): tf.backend_util.Conv2DInfo | null =>
  attrs.dataFormat === 'NCHW'
    ? null
    : tf.backend_util.computeConv2DInfo(
        inputShape as [number, number, number, number],
        filterShape as [number, number, number, number],
        attrs.strides,
        attrs.dilations ?? 1,
        attrs.pad,
        attrs.dimRoundingMode,
      );

const computations: Readonly<Record<string, Compute>> = {
  Conv2D(values, { x, filter }, attrs) {
    const info = conv2dInfo(x!.shape, filter!.shape, attrs);
    return info && { shape: info.outShape, values: convolve(info, values(x!), values(filter!)) };
  },
  Conv2DBackpropInput(values, { dy, filter }, attrs) {
    const info = conv2dInfo(attrs.inputShape, filter!.shape, attrs);
    return info && { shape: info.inShape, values: convolveInputGradient(info, values(dy!), values(filter!)) };
  },
  Conv2DBackpropFilter(values, { x, dy }, attrs) {
    const info = conv2dInfo(x!.shape, attrs.filterShape, attrs);
    return info && { shape: info.filterShape, values: convolveFilterGradient(info, values(x!), values(dy!)) };
  },
  MaxPool(values, { x }, { filterSize, strides, pad, dimRoundingMode }) {
    const shape = x!.shape as [number, number, number, number];
    const info = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
    return { shape: info.outShape, values: maxPool(info, values(x!)) };
  },
  BatchMatMul(values, { a, b }, { transposeA, transposeB }) {
    const [aOuter, bOuter] = [a!.shape.slice(0, -2), b!.shape.slice(0, -2)];
    const [batchA, batchB] = [aOuter, bOuter].map((shape) => tf.util.sizeFromShape(shape)) as [number, number];
    if (!tf.util.arraysEqual(aOuter, bOuter) && batchA !== 1 && batchB !== 1) return null;
    const [m, k] = (transposeA ? [-1, -2] : [-2, -1]).map((axis) => a!.shape.at(axis)) as [number, number];
    const n = b!.shape.at(transposeB ? -2 : -1) as number;
    const outer = tf.broadcast_util.assertAndGetBroadcastShape(aOuter, bOuter);
    return {
      shape: [...outer, m, n],
      values: multiplyMatrices({ m, k, n, batchA, batchB, transposeA, transposeB }, values(a!), values(b!)),
    };
  },
  _FusedMatMul(values, { a, b, bias }, { activation = 'linear', ...attributes }) {
    const product = activation === 'linear' ? computations.BatchMatMul!(values, { a: a!, b: b! }, attributes) : null;
    const columns = product?.shape.at(-1);
    if (!product || (bias && tf.util.sizeFromShape(bias.shape) !== columns)) return null;
    const addend = bias && values(bias);
    return addend ? { ...product, values: product.values.map((sum, i) => sum + addend[i % columns!]!) } : product;
  },
};

/**
 * Replaces convolutions and matrix products of TensorFlow.js's cpu backend by ones that sum in float64 and round once, and its maxima of windows,
 * which pass over NaN.
 *
 * The stock sums add in float32, term by term, and lose enough digits for trainings to part from PyTorch's within ten steps; and
 * their gradients take minutes. All other kernels stay.
 */
export function registerCpuKernels(): void {
  for (const [kernelName, compute] of Object.entries(computations)) {
    const stock = tf.getKernel(kernelName, 'cpu');
    if (!stock || replaced.has(stock)) continue;
    const kernelFunc: tf.KernelFunc = (call) => {
      const backend = call.backend as unknown as CpuBackend;
      const inputs = call.inputs as Tensors;
      const floats = Object.values(inputs).every((input) => !input || input.dtype === 'float32'); // some are left out
      const result = floats
        ? compute((tensor) => backend.data.get(tensor.dataId).values, inputs, call.attrs as Attributes)
        : null;
      return result ? backend.makeTensorInfo(result.shape, 'float32', result.values) : stock.kernelFunc(call);
    };
    const kernel: tf.KernelConfig = { ...stock, kernelFunc };
    tf.unregisterKernel(kernelName, 'cpu');
    tf.registerKernel(kernel);
    replaced.add(kernel);
  }
}

const replaced = new WeakSet<tf.KernelConfig>();
