import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { BatchAdvice, lastingBytes } from './batch-advice.ts';

const MiB = 2 ** 20;
const lasting = (variables: number, gradients: number, byRows: ReadonlyMap<number, number> = new Map()) => ({
  variables,
  gradients,
  byRows,
});
const none = lasting(0, 0);

it('works out how many rows would have come as far', () => {
  const advice = new BatchAdvice();
  advice.count(64, 10 * MiB); // weights
  advice.count(512, 70 * MiB);
  advice.count(512, 20 * MiB);
  // 90 of 100 are there for 512 rows; beside the 10, 80 of them and of the 10 wanted fit: 512 * 80 / 100
  expect(advice.advise({ limit: 90 * MiB, used: 100 * MiB, wanted: 10 * MiB }, none)).toMatchInlineSnapshot(
    `"Tensors of 512 rows, such as a batch of views has, take 90.0 MiB of this. At most 409 rows would have come this far, and what the rest of the step takes is not known here: try 128 rows, then half as many until a step runs; or lower the image size, or dispose tensors that are no longer needed."`,
  );
  // 128 have come this far: half of them leaves room for as much again
  expect(advice.advise({ limit: 35 * MiB, used: 100 * MiB, wanted: 10 * MiB }, none)).toMatch(
    / most 128 rows .* try 64 rows, /,
  );
});

it('leaves room for variables that have not been used yet, and for gradients', () => {
  const advice = new BatchAdvice();
  advice.count(512, 90 * MiB);
  const exhausted = { limit: 100 * MiB, used: 95 * MiB, wanted: 10 * MiB };
  // the variables are there before the batch is; of the 50 beside gradients as well half is for the rest of the step
  expect(advice.advise(exhausted, lasting(30 * MiB, 20 * MiB))).toMatch(/ most 358 rows .* try 128 rows, /);
  expect(advice.advise(exhausted, lasting(80 * MiB, 30 * MiB))).toMatchInlineSnapshot(
    `"To train takes 80.0 MiB for the variables and 30.0 MiB for their gradients, whatever the batch size: raise memoryLimit, train a smaller network, or dispose tensors that are no longer needed."`,
  );
});

it('does not take filters, whose first dimension is 3, for a batch', () => {
  const advice = new BatchAdvice();
  advice.count(3, 90 * MiB);
  advice.count(16, 20 * MiB);
  const weights = lasting(80 * MiB, 20 * MiB, new Map([[3, 100 * MiB]]));
  expect(advice.advise({ limit: 115 * MiB, used: 110 * MiB, wanted: 10 * MiB }, weights)).toMatch(/^Lower the batch/);
});

it('counts what is given back', () => {
  const advice = new BatchAdvice();
  advice.count(512, 90 * MiB);
  advice.count(512, -90 * MiB);
  advice.count(32, 8 * MiB);
  expect(advice.advise({ limit: 10 * MiB, used: 8 * MiB, wanted: 8 * MiB }, none)).toMatch(
    / 20 rows would .* try 8 rows, /,
  );
});

it('names no number where most of the memory is not a batch’s', () => {
  const advice = new BatchAdvice();
  advice.count(3, 10 * MiB);
  expect(advice.advise({ limit: 100 * MiB, used: 90 * MiB, wanted: 20 * MiB }, none)).toBe(
    'Lower the batch size or the image size, or dispose tensors that are no longer needed.',
  );
  expect(new BatchAdvice().advise({ limit: 100, used: 0, wanted: 200 }, none)).toMatch(/^Lower the batch size or/);
});

it('adds up variables and those that are trained', async () => {
  await tf.setBackend('cpu');
  const before = lastingBytes();
  const made = [tf.variable(tf.zeros([3, 5])), tf.variable(tf.zeros([7]), false)];
  const { variables, gradients, byRows } = lastingBytes();
  expect([variables - before.variables, gradients - before.gradients]).toEqual([88, 60]);
  expect([...byRows]).toEqual([
    [3, 120],
    [7, 28],
  ]);
  tf.dispose(made);
  expect(lastingBytes()).toEqual(before);
});
