import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { expectClose } from '@tfjs-ssl/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { simdEngine } from './index.ts';

beforeAll(async () => {
  await simdEngine.start({ threads: 2 });
});
afterAll(() => simdEngine.stop());

type Function = (...inputs: tf.Tensor[]) => tf.Tensor;

const filled = (shape: readonly number[], seed: number) => tf.randomNormal(shape as number[], 0.3, 1, 'float32', seed);

/** Kernels of this engine that a function and its gradients run. */
function kernelsOf(f: () => void): string[] {
  const names: string[] = [];
  const tfjs = tf.engine();
  const original = tfjs.runKernel;
  tfjs.runKernel = ((name, ...rest) => {
    names.push(name);
    return original.call(tfjs, name, ...rest);
  }) as typeof original;
  try {
    f();
  } finally {
    tfjs.runKernel = original;
  }
  return names;
}

/** Gradients of sum(f) weighted unevenly, on this engine and on the stock cpu backend; those of their squares, too. */
async function expectGradientsAsStock(f: Function, shapes: readonly (readonly number[])[], kernel: string) {
  const values: Record<string, Float32Array[]> = {};
  const names: Record<string, string[]> = {};
  for (const backend of ['cpu', 'simd']) {
    await tf.setBackend(backend);
    const inputs = shapes.map((shape, i) => filled(shape, i + 1));
    const output = f(...inputs);
    const weights = filled(output.shape, 99);
    const scalar = (...x: tf.Tensor[]) => tf.sum(tf.mul(f(...x), weights)) as tf.Scalar;
    const gradients = tf.grads(scalar);
    let first: tf.Tensor[] = [];
    names[backend] = kernelsOf(() => {
      first = gradients(inputs);
    });
    const second = tf.grads((...x: tf.Tensor[]) =>
      gradients(x)
        .map((gradient) => tf.sum(tf.square(gradient)))
        .reduce((a, b) => tf.add(a, b)),
    )(inputs);
    values[backend] = await Promise.all([...first, ...second].map((x) => x.data() as Promise<Float32Array>));
    tf.dispose([inputs, output, weights, first, second]);
  }
  expect(names.simd).toContain(kernel);
  expect(names.cpu).not.toContain(kernel);
  for (const [i, expected] of values.cpu!.entries()) {
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
    await expectClose(values.simd![i]!, expected, { atol: 2e-5 * largest });
  }
}

describe('gradients in few passes equal those of TensorFlow.js', () => {
  it.each([
    [[2, 3, 4, 6], 6],
    [[70, 5], 5],
    [[3, 2, 33], 33],
  ])('FusedBatchNorm of %j', async (shape, channels) => {
    const norm: Function = (x, mean, variance, offset, scale) =>
      tf.batchNorm(x as tf.Tensor, mean as tf.Tensor1D, tf.add(tf.square(variance as tf.Tensor1D), 0.5), tf.square(offset as tf.Tensor1D), scale as tf.Tensor1D, 1e-3); // biome-ignore format: one call
    await expectGradientsAsStock(norm, [shape, ...new Array(4).fill([channels])], 'FusedBatchNormGrad');
  });

  it.each([
    ['Sum', (x: tf.Tensor) => tf.sum(x, [0, 2])],
    ['Sum of all', (x: tf.Tensor) => tf.sum(x)],
    ['Sum with kept axes', (x: tf.Tensor) => tf.sum(x, -1, true)],
    ['Mean', (x: tf.Tensor) => tf.mean(x, [1])],
    ['Mean of all', (x: tf.Tensor) => tf.mean(x)],
    ['Mean with kept axes', (x: tf.Tensor) => tf.mean(x, [0, 1], true)],
  ])('%s', async (_, f) => {
    await expectGradientsAsStock((x) => tf.square(f(x as tf.Tensor)), [[3, 4, 5]], 'Tile');
  });

  it('Square', () => expectGradientsAsStock((x) => tf.square(x as tf.Tensor), [[3, 7]], 'SquareGrad'));
  it('Relu', () => expectGradientsAsStock((x) => tf.relu(x as tf.Tensor), [[3, 7]], 'ReluGrad'));

  it('a tf.layers model in training: no pass over ones, no tensor left', async () => {
    await tf.setBackend('simd');
    const x = filled([6, 4, 4, 8], 7);
    const moments = (input: tf.Tensor) => {
      const { mean, variance } = tf.moments(input, [0, 1, 2]);
      return tf.sum(
        tf.relu(tf.batchNorm(input, mean as tf.Tensor1D, variance as tf.Tensor1D, tf.zeros([8]), tf.ones([8]))),
      ) as tf.Scalar;
    };
    const before = tf.memory().numTensors;
    const names = kernelsOf(() => tf.grad(moments)(x).dispose());
    expect(tf.memory().numTensors).toBe(before);
    expect(names.filter((name) => name === 'Step')).toEqual([]);
    expect(names.filter((name) => name === 'FusedBatchNormGrad')).toHaveLength(1);
    x.dispose();
  });
});

it('leaves integers the gradients of TensorFlow.js', async () => {
  await tf.setBackend('simd');
  const x = tf.tensor1d([1, -2, 3]);
  let gradient = x;
  const names = kernelsOf(() => {
    gradient = tf.grad((v) => tf.cast(tf.sum(tf.cast(v, 'int32')), 'float32'))(x) as tf.Tensor1D;
  });
  expect(Array.from(await gradient.data())).toEqual([1, 1, 1]);
  expect(names).not.toContain('Tile');
  tf.dispose([x, gradient]);
});
