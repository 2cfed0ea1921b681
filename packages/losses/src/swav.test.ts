import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectGradient, expectNoLeak, numberOf, valuesOf } from '@tfjs-ssl/testing';
import { describe, expect, it } from 'vitest';
import { sinkhorn, swav } from './index.ts';

const scores = (rows: number, seed = 1) => tf.randomUniform<tf.Rank.R2>([rows, 4], -1, 1, 'float32', seed);
const shares = (rows: number, seed = 2) => tf.softmax(tf.randomNormal<tf.Rank.R2>([rows, 4], 0, 2, 'float32', seed));

/** The loss in double precision, pair of views by pair. */
function reference(rows: number[][], targets: number[][], views: number, temperature: number): number {
  const images = rows.length / views;
  const losses: number[] = [];
  for (let a = 0; a < targets.length / images; a++) {
    for (let v = 0; v < views; v++) {
      if (v === a) continue;
      for (let n = 0; n < images; n++) {
        const logits = rows[v * images + n]!.map((value) => value / temperature);
        const logSum = Math.log(logits.reduce((sum, value) => sum + Math.exp(value), 0));
        losses.push(targets[a * images + n]!.reduce((sum, q, k) => sum + q * (logSum - logits[k]!), 0));
      }
    }
  }
  return losses.reduce((sum, value) => sum + value, 0) / losses.length;
}

describeEngines('swav', () => {
  it('equals a case worked by hand', async () => {
    // One image: view 0 is predicted by view 1's assignment to prototype 0, view 1 by view 0's halves.
    const value = swav(
      tf.tensor2d([
        [0.1, 0],
        [0.2, 0],
      ]),
      tf.tensor2d([
        [0.5, 0.5],
        [1, 0],
      ]),
    );
    const [ofView0, ofView1] = [Math.log(1 + Math.exp(-1)), Math.log(1 + Math.exp(-2)) + 1];
    await expectClose(value, [(ofView0 + ofView1) / 2], { rtol: 1e-6 });
  });

  // Views, and how many of them have assignments.
  it.each([
    [2, 2],
    [2, 1],
    [4, 2],
    [3, 3],
  ])('equals the formula for %i views, %i with assignments', async (views, assigned) => {
    const [z, q] = [scores(5 * views), shares(5 * assigned)];
    const expected = reference((await z.array()) as number[][], (await q.array()) as number[][], views, 0.2);
    await expectClose([await numberOf(() => swav(z, q, { views, temperature: 0.2 }))], [expected], { rtol: 3e-6 });
  });

  it('has the gradient of its differences, also for views that only give assignments', async () => {
    const options = { temperature: 0.5, views: 3 };
    for (const assigned of [1, 2, 3]) {
      const q = shares(4 * assigned);
      await expectGradient((z) => swav(z as tf.Tensor2D, q, options), [scores(12)]);
    }
  });

  it('sends no gradient through the assignments', async () => {
    const z = scores(6);
    const codes = (x: tf.Tensor2D): tf.Tensor2D => tf.concat(tf.split<tf.Tensor2D>(x, 2).map((view) => sinkhorn(view)));
    const constants = codes(z);
    const through = await valuesOf(() => tf.grad((x) => swav(x as tf.Tensor2D, codes(x as tf.Tensor2D)))(z));
    await expectClose(through, await valuesOf(() => tf.grad((x) => swav(x as tf.Tensor2D, constants))(z)), {});
    const ofCodes = (q: tf.Tensor) => tf.add(swav(z, q as tf.Tensor2D), tf.sum(q));
    await expectClose(await valuesOf(() => tf.grad(ofCodes)(constants)), new Float32Array(24).fill(1), {});
  });

  it('does not change with the exchange of views or the order of images and prototypes', async () => {
    const [z, q] = [scores(6), shares(6)];
    const plain = await numberOf(() => swav(z, q));
    const rows = tf.tensor1d([4, 3, 5, 1, 0, 2], 'int32');
    const columns = tf.tensor1d([2, 0, 3, 1], 'int32');
    const moved = (x: tf.Tensor2D) => tf.gather(tf.gather(x, rows), columns, 1);
    await expectClose([await numberOf(() => swav(moved(z), moved(q)))], [plain], { rtol: 1e-6 });
  });

  it('is right where exponentials overflow', async () => {
    const z = tf.tensor2d([
      [1000, 0],
      [0, 1000],
    ]);
    const { value, grad } = tf.valueAndGrad((x: tf.Tensor) =>
      swav(
        x as tf.Tensor2D,
        tf.tensor2d([
          [1, 0],
          [1, 0],
        ]),
        { temperature: 1 },
      ),
    )(z);
    await expectClose(value, [500], { rtol: 1e-6 });
    await expectClose(grad, [0, 0, -0.5, 0.5], {});
  });

  it('leaves no tensors behind', async () => {
    const [z, q] = [scores(6), shares(4)];
    await expectNoLeak(() => {
      swav(z, q, { views: 3 }).dispose();
      tf.grad((x) => swav(x as tf.Tensor2D, q, { views: 3 }))(z).dispose();
    });
  });
});

describe('swav refuses', () => {
  it('what does not fit', () => {
    const call =
      (z: number[], q: number[], options = {}) =>
      () =>
        swav(tf.ones(z as [number, number]), tf.ones(q as [number, number]), options);
    expect(call([7, 4], [2, 4])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: swav: scores must have a multiple of 2 rows, one per view of each image, got 7. Concatenate the views, and pass their number as views.]`,
    );
    expect(call([8, 4], [8, 3])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: swav: assignments must have rows of 4 elements, got shape [8, 3]. Use heads of one output size for all vectors.]`,
    );
    expect(call([8, 4], [6, 4])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: swav: assignments must have 4 rows, one per image, for each of 1 to 2 views, got 6. Pass the first views of the same images.]`,
    );
    expect(call([8, 4], [12, 4])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: swav: assignments must have 4 rows, one per image, for each of 1 to 2 views, got 12. Pass the first views of the same images.]`,
    );
    expect(call([8], [8, 4])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: swav: scores must have rank 2 and at least 1 row and 1 column, got shape [8]. Flatten or pool each view to a vector first.]`,
    );
    expect(call([8, 4], [8, 4], { views: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: swav: views must be an integer of at least 2, got 1. Each view is predicted from the others.]`,
    );
    expect(call([8, 4], [8, 4], { temperature: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: swav: temperature must be a finite number above 0, got 0. Usual values lie between 0.05 and 1.]`,
    );
  });
});
