import * as tf from '@tensorflow/tfjs-core';
import { type Cursor, constantSchedule, type Optimizer, type Schedule, sgd, Trainer } from '../src/index.ts';

export { messageOf, temporaryFolder } from '@tfjs-ssl/testing';

export const stepsPerEpoch = 3;
export const batchSize = 4;

/** Numbers that look random and are the same everywhere. */
export function numbers(count: number, key: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * (key + 1)));
}

const variable = (shape: number[], key: number): tf.Variable =>
  tf.tidy(() => tf.variable(tf.tensor(numbers(tf.util.sizeFromShape(shape), key), shape)));

/** A small network with a running mean, as a model with batch norm has it; always the same at its start. */
export function tinyTrainer(
  options: { optimizer?: Optimizer; schedule?: Schedule; clipNorm?: number } = {},
): Trainer<Record<'x' | 'y', { shape: readonly [number, number] }>, 'error'> {
  const {
    optimizer = sgd({ momentum: 0.9 }),
    schedule = constantSchedule({ learningRate: 0.02 }),
    ...others
  } = options;
  const [first, bias, second, runningMean] = [
    variable([2, 3], 1),
    variable([3], 2),
    variable([3, 1], 3),
    variable([3], 4),
  ] as const;
  return new Trainer({
    parameters: { 'fc1.weight': first, 'fc1.bias': bias, 'fc2.weight': second },
    buffers: { 'fc1.running_mean': runningMean },
    inputs: { x: { shape: [batchSize, 2] }, y: { shape: [batchSize, 1] } },
    loss: ({ x, y }) => {
      const hidden = tf.relu(tf.add(tf.matMul(x, first), bias));
      runningMean.assign(tf.add(tf.mul(runningMean, 0.9), tf.mul(tf.mean(hidden, 0), 0.1)));
      const loss = tf.mean(tf.square(tf.sub(tf.matMul(hidden, second), y)));
      return { loss, metrics: { error: tf.sqrt(loss) } };
    },
    optimizer,
    schedule,
    ...others,
  });
}

/** The batches of an epoch; a batch is just a number that its tensors are made from. */
export async function* tinyBatches({ epoch, step }: Cursor, count: number = stepsPerEpoch): AsyncGenerator<number> {
  for (let i = step; i < count; i++) yield epoch * 100 + i;
}

/** The input tensors of a batch. */
export function tinyInputs(batch: number): { x: tf.Tensor; y: tf.Tensor } {
  return {
    x: tf.tensor2d(numbers(2 * batchSize, batch), [batchSize, 2]),
    y: tf.tensor2d(numbers(batchSize, batch + 0.5), [batchSize, 1]),
  };
}

/** Options of `fit` for the tiny run. */
export const tinyFit = {
  stepsPerEpoch,
  imagesPerStep: batchSize,
  batches: tinyBatches,
  inputs: tinyInputs,
  checkTensors: true,
};

/** Collects all events. */
export async function collect<Event>(events: AsyncIterable<Event>): Promise<Event[]> {
  const all: Event[] = [];
  for await (const event of events) all.push(event);
  return all;
}
