import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectGradient, expectNoLeak, numberOf } from '@tfjs-ssl/testing';
import { describe, expect, it } from 'vitest';
import { infoNCE } from './index.ts';

const vectors = (rows: number, seed: number) => tf.randomNormal<tf.Rank.R2>([rows, 5], 0, 1, 'float32', seed);

/** One direction in double precision, logit by logit. */
function reference(anchors: number[][], positives: number[][], negatives: number[][][], temperature: number): number {
  const unit = (row: number[]) => row.map((value) => value / Math.max(Math.hypot(...row), 1e-12));
  const logit = (a: number[], b: number[]) =>
    unit(a).reduce((sum, value, d) => sum + value * unit(b)[d]!, 0) / temperature;
  const losses = anchors.map((anchor, i) => {
    const positive = logit(anchor, positives[i]!);
    const all = [positive, ...negatives[i]!.map((row) => logit(anchor, row))];
    const largest = Math.max(...all);
    return largest - positive + Math.log(all.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  });
  return losses.reduce((sum, value) => sum + value, 0) / losses.length;
}

const others = (rows: number[][]) => rows.map((_, i) => rows.filter((__, j) => j !== i));

describeEngines('infoNCE', () => {
  it('equals a case worked by hand', async () => {
    const anchors = tf.tensor2d([
      [2, 0],
      [0, 3],
    ]);
    const candidates = tf.tensor2d([
      [1, 0],
      [0, 5],
      [-1, 0],
    ]);
    // Anchor 0 has logits 2 (positive), 0, -2; anchor 1 has 0, 2 (positive), 0.
    const expected = (Math.log(1 + Math.exp(-2) + Math.exp(-4)) + Math.log(1 + 2 * Math.exp(-2))) / 2;
    expect(await numberOf(() => infoNCE(anchors, candidates, { temperature: 0.5 }))).toBeCloseTo(expected, 6);
  });

  it.each([0.01, 0.07, 1])('equals double precision in all its forms, temperature %f', async (temperature) => {
    const [a, c, queue, queueOfAnchors] = [vectors(6, 1), vectors(6, 2), vectors(9, 3), vectors(4, 4)];
    const [A, C, Q, P] = await Promise.all([a.array(), c.array(), queue.array(), queueOfAnchors.array()]);
    const tolerance = { rtol: 1e-6, atol: 2e-6 / temperature };
    const check = async (options: Omit<Parameters<typeof infoNCE>[2], 'temperature'>, expected: number) =>
      expectClose([await numberOf(() => infoNCE(a, c, { temperature, ...options }))], [expected], tolerance);
    await check({}, reference(A, C, others(C), temperature));
    const withQueue = reference(
      A,
      C,
      others(C).map((rows) => [...rows, ...Q]),
      temperature,
    );
    await check({ negatives: queue }, withQueue);
    await check(
      { negatives: queue, inBatch: false },
      reference(
        A,
        C,
        C.map(() => Q),
        temperature,
      ),
    );
    const back = reference(C, A, others(A), temperature);
    await check({ symmetric: true }, (reference(A, C, others(C), temperature) + back) / 2);
    const backWithQueue = reference(
      C,
      A,
      others(A).map((rows) => [...rows, ...P]),
      temperature,
    );
    await check(
      { symmetric: true, negatives: queue, candidateNegatives: queueOfAnchors },
      (withQueue + backWithQueue) / 2,
    );
  });

  it('takes further rows of candidates for negatives', async () => {
    const [a, c, queue] = [vectors(4, 1), vectors(4, 2), vectors(7, 3)];
    for (const inBatch of [true, false]) {
      const together = infoNCE(a, tf.concat([c, queue]), { temperature: 0.2, inBatch });
      await expectClose(together, infoNCE(a, c, { temperature: 0.2, negatives: queue, inBatch }), { rtol: 1e-6 });
    }
  });

  it('has the gradient of its differences, for all its rows', async () => {
    const inputs = [vectors(4, 1), vectors(4, 2), vectors(3, 3), vectors(5, 4)];
    const loss = (...[a, c, negatives, candidateNegatives]: tf.Tensor[]) =>
      infoNCE(a as tf.Tensor2D, c as tf.Tensor2D, {
        ...{ temperature: 0.4, symmetric: true },
        ...{ negatives: negatives as tf.Tensor2D, candidateNegatives: candidateNegatives as tf.Tensor2D },
      });
    await expectGradient(loss, inputs, { step: 3e-3 });
    const moco = (...[a, c, negatives]: tf.Tensor[]) =>
      infoNCE(a as tf.Tensor2D, c as tf.Tensor2D, {
        ...{ temperature: 0.4, inBatch: false, negatives: negatives as tf.Tensor2D },
      });
    await expectGradient(moco, inputs.slice(0, 3), { step: 3e-3 });
  });

  it('does not change with lengths of rows, from 1e-10 to 1e30, nor with the order of pairs', async () => {
    const [a, c] = [vectors(6, 1), vectors(6, 2)];
    const plain = await numberOf(() => infoNCE(a, c, { temperature: 0.1 }));
    const lengths = tf.tensor2d([1e-10, 1e30, 1, 1e20, 1e-5, 1e10], [6, 1]);
    const scaled = () => infoNCE(tf.mul(a, lengths), tf.mul(c, tf.reverse(lengths)), { temperature: 0.1 });
    await expectClose([await numberOf(scaled)], [plain], { rtol: 1e-5 });
    const order = tf.tensor1d([3, 1, 5, 0, 2, 4], 'int32');
    const permuted = () => infoNCE(tf.gather(a, order), tf.gather(c, order), { temperature: 0.1 });
    await expectClose([await numberOf(permuted)], [plain], { rtol: 1e-5 });
  });

  it('leaves no tensors behind', async () => {
    const [a, c, negatives] = [vectors(4, 1), vectors(4, 2), vectors(3, 3)];
    await expectNoLeak(() => {
      infoNCE(a, c, { temperature: 0.5, negatives }).dispose();
      tf.grad((x: tf.Tensor) => infoNCE(x as tf.Tensor2D, c, { temperature: 0.5, symmetric: true }))(a).dispose();
    });
  });
});

describe('infoNCE refuses', () => {
  const call = (anchors: number[], candidates: number[], options: object = {}) =>
    tf.tidy(() =>
      infoNCE(tf.ones(anchors as [number, number]), tf.ones(candidates as [number, number]), {
        temperature: 0.5,
        ...options,
      }),
    );

  it('what does not fit', async () => {
    expect(() => call([4], [4, 2])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: infoNCE: anchors must have rank 2 and at least 1 row and 1 column, got shape [4]. Flatten or pool each view to a vector first.]`,
    );
    expect(() => call([4, 2], [4, 3])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: infoNCE: candidates must have rows of 2 elements, got shape [4, 3]. Use heads of one output size for all vectors.]`,
    );
    expect(() => call([4, 2], [3, 2])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: infoNCE: candidates must have at least as many rows as anchors, 4, got 3. Row i is the positive of anchor i; pass other vectors as negatives.]`,
    );
    expect(() => call([4, 2], [5, 2], { symmetric: true })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: infoNCE: candidates must have as many rows as anchors, 4, got 5. Row i is the positive of anchor i; pass other vectors as negatives.]`,
    );
    expect(() => call([4, 2], [4, 2], { negatives: tf.ones([3, 3]) })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: infoNCE: negatives must have rows of 2 elements, got shape [3, 3]. Use heads of one output size for all vectors.]`,
    );
    expect(() => call([4, 2], [4, 2], { negatives: tf.ones([3, 2], 'int32') })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: infoNCE: negatives must be float32, got int32. Cast it with tf.cast(x, 'float32'): the loss is computed in float32 at every precision of the step.]`,
    );
    expect(() => call([4, 2], [4, 2], { candidateNegatives: tf.ones([3, 2]) })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: infoNCE: candidateNegatives must come with symmetric: true, got false. Set symmetric, which adds the direction that they are for, or pass them as negatives.]`,
    );
    expect(() => call([4, 2], [4, 2], { inBatch: false })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: infoNCE: negatives must be given if inBatch is false, got none. Pass the queue.]`,
    );
    expect(() => call([1, 2], [1, 2])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: infoNCE: candidates must have at least 2 rows if there are no other negatives, got 1. Each anchor is compared with the candidates of others: use a larger batch, or pass a queue.]`,
    );
    const [one, queue] = [tf.ones<tf.Rank.R2>([1, 2]), tf.ones<tf.Rank.R2>([3, 2])];
    const alone = { temperature: 0.1, symmetric: true, negatives: queue };
    expect(() => infoNCE(one, one, alone)).toThrow(/candidates must have at least 2 rows/);
    const [loss] = await infoNCE(one, one, { ...alone, candidateNegatives: queue }).data();
    expect(loss).toBeCloseTo(Math.log(4), 5);
    expect(() => call([4, 2], [4, 2], { temperature: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: infoNCE: temperature must be a finite number above 0, got 0. Usual values lie between 0.05 and 1.]`,
    );
  });
});
