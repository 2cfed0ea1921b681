import type * as tf from '@tensorflow/tfjs-core';
import { floatBits } from '../runtime.ts';
import { MOMENTUM, MOMENTUM_SUMS } from '../task-ids.ts';
import { gradientFactor } from './gradient-scale.ts';
import { defineOpKernel, type SimdKernel, sizeOf } from './kernel.ts';

/** Elements of a task. */
const BLOCK = 32768;

/** Words of an entry of the table, and the places of those that are filled in later. */
const ENTRY = 8;
const INCOMING = 5;
const OUTGOING = 6;
const SUMS = 7;

/** One step of SGD with momentum or LARS for all parameters, in place. */
const momentumUpdate = defineOpKernel('MomentumUpdate', ({ inputs, attributes, backend }) => {
  const { runtime } = backend;
  const { count, momentum, nesterov, flavour, weightDecays, trustCoefficients } = attributes;
  const factor = gradientFactor(backend, inputs.gradientScale);
  if (factor === null) return [];
  const learningRate = (backend.values(inputs.scalars as tf.TensorInfo) as Float32Array)[0] as number;
  const table: number[] = [];
  /** Number of the first entry of every parameter, and of the one after the last. */
  const starts = [0];
  for (let i = 0; i < count; i++) {
    const [parameter, gradient, velocity] = ['parameter', 'gradient', 'velocity'].map((role) => {
      const tensor = inputs[`${role}${i}`];
      return tensor ? backend.address(tensor) : 0;
    }) as [number, number, number];
    const size = sizeOf(inputs[`parameter${i}`] as tf.TensorInfo);
    const [incoming, outgoing] = flavour === 'simclr' ? [learningRate, 1] : [1, learningRate];
    for (let first = 0; first < size; first += BLOCK) {
      const at = first * 4;
      table.push(parameter + at, gradient + at, velocity && velocity + at, Math.min(BLOCK, size - first));
      table.push(...[weightDecays[i] as number, incoming as number, outgoing as number].map(floatBits), 0);
    }
    starts.push(table.length / ENTRY);
  }
  const tasks = table.length / ENTRY;
  const ofUpdate = flavour === 'popular';
  runtime.withTemporary(Math.max(1, tasks) * (ENTRY * 4 + 16), (sums) => {
    const address = sums + tasks * 16;
    for (let task = 0; task < tasks; task++) table[task * ENTRY + SUMS] = sums + task * 16;
    const job = [address, floatBits(momentum), nesterov ? 1 : 0, floatBits(factor), ofUpdate ? 1 : 0];
    runtime.words.set(table, address / 4);
    if (trustCoefficients.some((coefficient) => coefficient !== 0)) {
      runtime.runOnce(tasks, MOMENTUM_SUMS, ...job);
      const squares = new Float64Array(runtime.words.buffer, sums, 2 * tasks);
      trustCoefficients.forEach((coefficient, i) => {
        if (coefficient === 0) return;
        const [from, to] = [starts[i] as number, starts[i + 1] as number];
        const ratio = trustRatio(squares.subarray(2 * from, 2 * to), coefficient);
        const place = ofUpdate ? OUTGOING : INCOMING;
        const rate = flavour === 'torch' ? 1 : learningRate;
        for (let task = from; task < to; task++) table[task * ENTRY + place] = floatBits(rate * ratio);
      });
      runtime.words.set(table, address / 4);
    }
    runtime.runOnce(tasks, MOMENTUM, ...job);
  });
  return [];
});

/** coefficient |p| / |d| of the blocks' sums of squares, or 1 where either norm is zero. */
function trustRatio(squares: Float64Array, coefficient: number): number {
  let [size, length] = [0, 0];
  for (let i = 0; i < squares.length; i += 2) {
    size += squares[i] as number;
    length += squares[i + 1] as number;
  }
  return Math.min(size, length) > 0 ? (coefficient * Math.sqrt(size)) / Math.sqrt(length) : 1;
}

/** The kernel of SGD and LARS. */
export const momentumKernels: readonly SimdKernel[] = [momentumUpdate];
