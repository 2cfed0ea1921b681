import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { messageOf, numbers } from '../test-support/tiny-run.ts';
import { itTrainsResumedAndRecordedAlike } from '../test-support/train-alike.ts';
import { constantSchedule, sgd, Trainer, type TrainerOptions } from './index.ts';

const rows = 16;
type Inputs = { x: { shape: readonly [number, number] }; y: { shape: readonly [number, number] } };
const variable = (shape: number[], key: number): tf.Variable =>
  tf.tidy(() => tf.variable(tf.tensor(numbers(tf.util.sizeFromShape(shape), key), shape)));
const batch = (key: number) => ({
  x: tf.tensor2d(numbers(rows * 6, key), [rows, 6]),
  y: tf.tensor2d(numbers(rows, key + 0.5), [rows, 1]),
});

/** Both inputs in parts of equal size. */
const split =
  (count: number): NonNullable<TrainerOptions<Inputs, never>['chunks']> =>
  ({ x, y }) => {
    const [xs, ys] = [tf.split(x, count), tf.split(y, count)];
    return xs.map((part, i) => ({ x: part, y: ys[i] as tf.Tensor }));
  };

/** A regression; always the same at its start. The running mean moves with each call of the loss. */
function regression(options: Partial<TrainerOptions<Inputs, 'error'>> = {}) {
  const [first, second, running] = [variable([6, 8], 1), variable([8, 1], 2), variable([8], 3)];
  return new Trainer<Inputs, 'error'>({
    parameters: { first, second },
    buffers: { running },
    inputs: { x: { shape: [rows, 6] }, y: { shape: [rows, 1] } },
    loss: ({ x, y }) => {
      const hidden = tf.relu(tf.matMul(x, first as tf.Tensor2D));
      running.assign(tf.add(tf.mul(running, 0.9), tf.mul(tf.mean(hidden, 0), 0.1)));
      const difference = tf.sub(tf.matMul(hidden, second as tf.Tensor2D), y);
      return { loss: tf.mean(tf.square(difference)), metrics: { error: tf.mean(tf.abs(difference)) } };
    },
    optimizer: sgd({ momentum: 0.9 }),
    schedule: constantSchedule({ learningRate: 0.05 }),
    ...options,
  });
}

describeEngines('a trainer with chunks', () => {
  it.each([1, 2, 8])('equals the whole batch for a mean over samples: %i chunks', async (count) => {
    const [whole, chunked] = [regression({ clipNorm: 0.5 }), regression({ clipNorm: 0.5, chunks: split(count) })];
    for (let i = 0; i < 4; i++) {
      const inputs = batch(i);
      const [expected, got] = [await whole.step(inputs), await chunked.step(inputs)];
      await expectClose([got.loss, got.metrics.error], [expected.loss, expected.metrics.error]);
      tf.dispose(inputs);
    }
    const [a, b] = [await whole.snapshot(), await chunked.snapshot()];
    for (const name of ['model.first', 'model.second', 'optimizer.velocity.first']) {
      await expectClose(b.tensors[name]!.data as Float32Array, a.tensors[name]!.data as Float32Array);
    }
    if (count === 1) expect(b).toEqual(a);
    whole.dispose();
    chunked.dispose();
  });

  it('moves running statistics once per chunk, with those of the chunk', async () => {
    const trainer = regression({ chunks: split(2) });
    const weights = trainer.parameters.first as tf.Variable<tf.Rank.R2>;
    const running = trainer.buffers.running as tf.Variable;
    const inputs = batch(0);
    const expected = tf.tidy(() =>
      tf
        .split(inputs.x, 2)
        .reduce<tf.Tensor>(
          (before, x) => tf.add(tf.mul(before, 0.9), tf.mul(tf.mean(tf.relu(tf.matMul(x, weights)), 0), 0.1)),
          tf.mul(running, 1),
        ),
    );
    await trainer.step(inputs);
    await expectClose(running, expected);
    tf.dispose([inputs, expected]);
    trainer.dispose();
  });

  itTrainsResumedAndRecordedAlike(
    'trains resumed and recorded alike, bit for bit',
    (precision) => regression({ chunks: split(4), clipNorm: 0.5, precision }),
    batch,
  );

  it('leaves no tensors behind', async () => {
    const trainer = regression({ chunks: split(4) });
    const inputs = batch(0);
    await trainer.step(inputs);
    await expectNoLeak(async () => {
      for (let i = 0; i < 3; i++) await trainer.step(inputs);
    });
    trainer.dispose();
    tf.dispose(inputs);
  });

  it('says what is wrong', async () => {
    expect(() => regression({ chunks: 8 as never })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: Trainer: chunks must be a function, got 8. Pass (inputs) => feed.chunks(inputs, 8).]`,
    );
    const inputs = batch(0);
    expect(await messageOf(regression({ chunks: () => [] }).step(inputs))).toMatchInlineSnapshot(
      `"Trainer: chunks must return a list of inputs, at least one, got []. Return feed.chunks(inputs, count), or the inputs cut into parts of equal size."`,
    );
    expect(await messageOf(regression({ chunks: (given) => given as never }).step(inputs))).toMatchInlineSnapshot(
      `"Trainer: chunks must return a list of inputs, at least one, got an object (Object). Return feed.chunks(inputs, count), or the inputs cut into parts of equal size."`,
    );
    tf.dispose(inputs);
  });
});
