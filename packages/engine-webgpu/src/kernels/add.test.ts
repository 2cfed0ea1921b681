import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { expectSameOnCpu } from '../../test-support/on-both.ts';
import { gpu } from '../../test-support/reference.ts';

/** More tensors than a device binds, and than it binds twice; of different values. */
const many = (count: number, shape: number[]): tf.Tensor[] =>
  Array.from({ length: count }, (_, i) => tf.randomNormal(shape, 0, 1, 'float32', i + 1));

describe('kernels of many tensors', () => {
  const counts = [1, 2, 7, 8, 9, 11, 12, 13, 22, 62];
  const ops: Record<string, (tensors: tf.Tensor[]) => tf.Tensor> = {
    addN: (tensors) => tf.addN(tensors),
    'addN of whole numbers': (tensors) => tf.addN(tensors.map((tensor) => tf.cast(tf.mul(tensor, 9), 'int32'))),
    concat: (tensors) => tf.concat(tensors, 1),
    stack: (tensors) => tf.stack(tensors, 1),
    einsum: (tensors) => tf.einsum('ij,ik->jk', tensors[0]!, tensors.at(-1)!),
  };
  it.each(Object.entries(ops))('%s takes any number of them', async (_name, op) => {
    for (const count of counts) {
      for (const shape of [
        [3, 5],
        [2, 4],
      ]) {
        await expectSameOnCpu(() => ({ result: op(many(count, shape)) }), { rtol: 1e-6, atol: 1e-6 });
      }
    }
    expect(gpu().device.limits.maxStorageBuffersPerShaderStage).toBeLessThan(62);
  });
});
