import type * as tf from '@tensorflow/tfjs-core';
import { floatBits } from '../runtime.ts';
import { ADAM } from '../task-ids.ts';
import { gradientFactor } from './gradient-scale.ts';
import { defineOpKernel, type SimdKernel, sizeOf } from './kernel.ts';

/** Elements of a task. */
const BLOCK = 32768;

/** One step of Adam for all parameters, in place, as one job. */
const adamUpdate = defineOpKernel('AdamUpdate', ({ inputs, attributes, backend }) => {
  const { runtime } = backend;
  const factor = gradientFactor(backend, inputs.gradientScale);
  if (factor === null) return [];
  const { count, beta1, beta2, epsilon, weightDecay, decoupled } = attributes;
  const [learningRate, c1, c2] = backend.values(inputs.scalars as tf.TensorInfo) as Float32Array as unknown as [
    number,
    number,
    number,
  ];
  const table: number[] = [];
  for (let i = 0; i < count; i++) {
    const tensors = ['parameter', 'gradient', 'firstMoment', 'secondMoment'].map(
      (role) => inputs[`${role}${i}`] as tf.TensorInfo,
    );
    const addresses = tensors.map((tensor) => backend.address(tensor));
    const size = sizeOf(tensors[0] as tf.TensorInfo);
    for (let first = 0; first < size; first += BLOCK) {
      table.push(...addresses.map((address) => address + first * 4), Math.min(BLOCK, size - first));
    }
  }
  const decays = decoupled ? [0, 1 - learningRate * weightDecay] : [weightDecay, 1];
  runtime.withTemporary(Math.max(4, table.length * 4), (address) => {
    runtime.words.set(table, address / 4);
    const shares = [
      beta1,
      beta2,
      1 - beta1,
      1 - beta2,
      learningRate / c1,
      1 / Math.sqrt(c2),
      epsilon,
      ...decays,
      factor,
    ];
    runtime.runOnce(table.length / 5, ADAM, address, ...shares.map(floatBits));
  });
  return [];
});

/** The optimizer's kernel. */
export const adamKernels: readonly SimdKernel[] = [adamUpdate];
