import * as tf from '@tensorflow/tfjs-core';
import { startEngine } from '@tfjs-ssl/engine';

/** Kernels that multiply matrices, and the inputs that mixed precision rounds. */
const products: Readonly<Record<string, readonly string[]>> = {
  Conv2D: ['x', 'filter'],
  FusedConv2D: ['x', 'filter'],
  Conv2DBackpropInput: ['dy', 'filter'],
  Conv2DBackpropFilter: ['x', 'dy'],
  BatchMatMul: ['a', 'b'],
  _FusedMatMul: ['a', 'b'],
};

/** The nearest float16, ties to even; the same as a float32. */
function toFloat16(value: number): number {
  const size = Math.abs(value);
  if (!(size < 65520)) return Number.isNaN(value) ? value : Math.sign(value) * Number.POSITIVE_INFINITY;
  const unit = 2 ** (Math.max(Math.floor(Math.log2(size)), -14) - 10);
  const [low, rest] = [Math.floor(size / unit), (size / unit) % 1];
  const up = rest > 0.5 || (rest === 0.5 && low % 2 === 1);
  return Math.sign(value) * (low + (up ? 1 : 0)) * unit;
}

/**
 * Runs a function on the reference engine with the operands of all matrix products rounded to float16, all else as it is there: the least
 * that mixed precision is, without anything that a GPU's kernel does. An engine may also store float16 between layers.
 */
export async function withFloat16Operands<T>(run: () => Promise<T>): Promise<T> {
  await startEngine('cpu');
  const before = Object.keys(products).flatMap((name) => tf.getKernel(name, 'cpu') ?? []);
  const replace = (config: tf.KernelConfig) => {
    tf.unregisterKernel(config.kernelName, 'cpu');
    tf.registerKernel(config);
  };
  for (const config of before) {
    replace({
      ...config,
      kernelFunc: (params) => {
        const { inputs, backend } = params;
        const cpu = backend as unknown as {
          data: { get(id: object): { values: Float32Array } };
          makeTensorInfo(shape: number[], dtype: string, values: Float32Array): tf.TensorInfo;
          disposeIntermediateTensorInfo(info: tf.TensorInfo): void;
        };
        const rounded = (products[config.kernelName] as string[]).map((name): [string, tf.TensorInfo] => {
          const { shape, dataId } = inputs[name] as tf.TensorInfo;
          return [name, cpu.makeTensorInfo(shape, 'float32', cpu.data.get(dataId).values.map(toFloat16))];
        });
        const result = config.kernelFunc({ ...params, inputs: { ...inputs, ...Object.fromEntries(rounded) } });
        for (const [, info] of rounded) cpu.disposeIntermediateTensorInfo(info);
        return result;
      },
    });
  }
  try {
    return await run();
  } finally {
    before.forEach(replace);
  }
}
