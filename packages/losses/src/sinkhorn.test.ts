import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak, valuesOf } from '@tfjs-ssl/testing';
import { describe, expect, it } from 'vitest';
import { sinkhorn } from './index.ts';

const scores = (samples: number, prototypes: number) =>
  tf.randomUniform<tf.Rank.R2>([samples, prototypes], -1, 1, 'float32', 5);

/** The algorithm as it is printed, in double precision. */
function reference(rows: number[][], epsilon: number, iterations: number): number[] {
  let q = rows.map((row) => row.map((value) => Math.exp(value / epsilon)));
  const total = q.flat().reduce((sum, value) => sum + value, 0);
  const [samples, prototypes] = [rows.length, rows[0]!.length];
  q = q.map((row) => row.map((value) => value / total));
  for (let i = 0; i < iterations; i++) {
    const columns = q[0]!.map((_, k) => q.reduce((sum, row) => sum + row[k]!, 0));
    q = q.map((row) => row.map((value, k) => value / columns[k]! / prototypes));
    q = q.map((row) => row.map((value) => value / row.reduce((sum, other) => sum + other, 0) / samples));
  }
  return q.flat().map((value) => value * samples);
}

describeEngines('sinkhorn', () => {
  it('equals a case worked by hand', async () => {
    // exp(scores) = [[1, 4], [1, 2]]; columns: [[1/2, 2/3], [1/2, 1/3]]; rows: [3/7, 4/7], [3/5, 2/5].
    const z = tf.log(
      tf.tensor2d([
        [1, 4],
        [1, 2],
      ]),
    ) as tf.Tensor2D;
    const codes = await valuesOf(() => sinkhorn(z, { epsilon: 1, iterations: 1 }));
    await expectClose(codes, [3 / 7, 4 / 7, 3 / 5, 2 / 5], { rtol: 1e-6 });
  });

  it.each([
    [8, 3, 3, 0.05],
    [3, 10, 3, 0.05],
    [16, 16, 1, 0.2],
    [5, 4, 20, 0.5],
  ])(
    'equals the printed algorithm for %i samples, %i prototypes, %i iterations, epsilon %f',
    async (samples, prototypes, iterations, epsilon) => {
      const z = scores(samples, prototypes);
      const expected = reference((await z.array()) as number[][], epsilon, iterations);
      const codes = await valuesOf(() => sinkhorn(z, { epsilon, iterations }));
      await expectClose(codes, expected, { atol: 1e-6, rtol: 2e-5 });
    },
  );

  it('gives rows of sum 1, and after many iterations columns of B / K', async () => {
    const codes = sinkhorn(scores(6, 3), { epsilon: 0.5, iterations: 50 });
    await expectClose(await valuesOf(() => tf.sum(codes, 1)), new Float32Array(6).fill(1), { rtol: 1e-6 });
    await expectClose(await valuesOf(() => tf.sum(codes, 0)), new Float32Array(3).fill(2), { rtol: 1e-4 });
  });

  it('is right where exponentials overflow and underflow, and does not change with a shift', async () => {
    const z = tf.tensor2d([
      [100, -100],
      [-100, 100],
      [300, 100],
      [-900, -700],
    ]);
    // Over 0.05, less the columns' 6000 and 2000 + log 2: rows 0 and 2 differ by log 2, the others by thousands.
    const codes = await valuesOf(() => sinkhorn(z, { iterations: 1 }));
    await expectClose(codes, [2 / 3, 1 / 3, 0, 1, 2 / 3, 1 / 3, 0, 1], { atol: 1e-3 });
    const small = scores(6, 4);
    const moved = await valuesOf(() => sinkhorn(tf.add(small, 8)));
    await expectClose(moved, await valuesOf(() => sinkhorn(small)), { atol: 1e-4 });
  });

  it('is a constant to the tape', async () => {
    const gradient = tf.grad((x) => tf.sum(tf.square(sinkhorn(x as tf.Tensor2D))))(scores(4, 3));
    await expectClose(gradient, new Float32Array(12), {});
  });

  it('leaves no tensors behind', async () => {
    const z = scores(4, 3);
    await expectNoLeak(() => sinkhorn(z).dispose());
  });
});

describe('sinkhorn refuses', () => {
  it('what does not fit', () => {
    const z = tf.ones<tf.Rank.R2>([4, 2]);
    expect(() => sinkhorn(tf.ones([4]) as unknown as tf.Tensor2D)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: sinkhorn: scores must have rank 2 and at least 1 row and 1 column, got shape [4]. Flatten or pool each view to a vector first.]`,
    );
    expect(() => sinkhorn(z, { epsilon: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: sinkhorn: epsilon must be a finite number above 0, got 0. SwAV takes 0.05.]`,
    );
    expect(() => sinkhorn(z, { iterations: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: sinkhorn: iterations must be an integer of at least 1, got 0. SwAV takes 3.]`,
    );
    expect(() => sinkhorn(z, { iterations: 1.5 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: sinkhorn: iterations must be an integer of at least 1, got 1.5. SwAV takes 3.]`,
    );
  });
});
