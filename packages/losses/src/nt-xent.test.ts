import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectGradient, expectNoLeak, numberOf } from '@tfjs-ssl/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ntXent } from './index.ts';

/** SimCLR's algorithm 1 in double precision, pair by pair. */
function reference(rows: number[][], temperature: number): number {
  const unit = rows.map((row) => {
    const norm = Math.max(Math.hypot(...row), 1e-12);
    return row.map((value) => value / norm);
  });
  const similarity = (i: number, j: number) =>
    (unit[i] as number[]).reduce((sum, value, d) => sum + value * ((unit[j] as number[])[d] as number), 0) /
    temperature;
  const losses = unit.map((_, i) => {
    const others = unit.map((_, j) => j).filter((j) => j !== i);
    const largest = Math.max(...others.map((j) => similarity(i, j)));
    const sum = others.reduce((total, j) => total + Math.exp(similarity(i, j) - largest), 0);
    return largest + Math.log(sum) - similarity(i, (i + rows.length / 2) % rows.length);
  });
  return losses.reduce((sum, value) => sum + value, 0) / losses.length;
}

/** A deterministic batch of projections without symmetry. */
function wave(rows: number, columns: number): number[][] {
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, d) => Math.sin(1 + 0.7 * i * columns + 1.3 * d + 0.05 * i * d)),
  );
}

const value = (rows: number[][], temperature: number): Promise<number> =>
  numberOf(() => ntXent(tf.tensor2d(rows), { temperature }));

const batches = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 6 })).chain(([pairs, columns]) =>
  fc.array(fc.array(fc.integer({ min: -99, max: 99 }), { minLength: columns, maxLength: columns }), {
    minLength: 2 * pairs,
    maxLength: 2 * pairs,
  }),
);

describeEngines('ntXent', () => {
  it('equals a case worked by hand', async () => {
    // Two images; the views agree, the images are orthogonal: each anchor has logits [1/t] (positive) and [0, 0].
    const loss = await value(
      [
        [1, 0],
        [0, 1],
        [2, 0],
        [0, 3],
      ],
      0.5,
    );
    expect(loss).toBeCloseTo(Math.log(Math.exp(2) + 2) - 2, 6);
  });

  it('equals values computed in double precision by two formulas', async () => {
    const cases: Array<[number, number, number, number]> = [
      [8, 8, 0.07, 18.875788031],
      [8, 8, 0.1, 13.38603928],
      [8, 8, 0.5, 3.583413743],
      [8, 8, 1, 2.635478665],
      [16, 16, 0.07, 8.057240771],
      [16, 16, 0.1, 5.893538683],
      [16, 16, 0.5, 2.824954134],
      [16, 16, 1, 2.706787475],
    ];
    for (const [rows, columns, temperature, expected] of cases) {
      await expectClose([await value(wave(rows, columns), temperature)], [expected], { rtol: 2e-6 });
    }
  });

  it('equals log(2N - 1) where all rows are equal', async () => {
    expect(
      await value(
        Array.from({ length: 16 }, () => [0.3, -2, 5]),
        0.07,
      ),
    ).toBeCloseTo(Math.log(15), 5);
  });

  it('keeps small losses exact: aligned positives, orthogonal negatives', async () => {
    const rows = Array.from({ length: 64 }, (_, i) => Array.from({ length: 32 }, (_, d) => (d === i % 32 ? 1 : 0)));
    await expectClose([await value(rows, 0.07)], [Math.log1p(62 * Math.exp(-1 / 0.07))], { rtol: 1e-2 });
  });

  it('equals the reference on any batch, whatever the row norms', async () => {
    await fc.assert(
      fc.asyncProperty(batches, fc.constantFrom(0.05, 0.07, 0.5, 1, 10), async (rows, temperature) => {
        await expectClose([await value(rows, temperature)], [reference(rows, temperature)], { atol: 3e-5, rtol: 1e-5 });
        const scaled = rows.map((row, i) => row.map((x) => x * 10 ** ((i % 5) - 2)));
        await expectClose([await value(scaled, temperature)], [reference(rows, temperature)], {
          atol: 3e-5,
          rtol: 1e-5,
        });
      }),
      { numRuns: 20 },
    );
  });

  it('does not change when the views are swapped or the images permuted', async () => {
    const rows = wave(10, 4);
    const swapped = [...rows.slice(5), ...rows.slice(0, 5)];
    const permuted = [3, 0, 4, 1, 2, 8, 5, 9, 6, 7].map((i) => rows[i] as number[]);
    await expectClose(
      [await value(swapped, 0.1), await value(permuted, 0.1)],
      [await value(rows, 0.1), await value(rows, 0.1)],
      {
        rtol: 2e-6,
      },
    );
  });

  it('has the gradient of its differences', async () => {
    for (const temperature of [0.1, 0.5, 2]) {
      const z = tf.tensor2d(wave(8, 5));
      await expectGradient((x) => ntXent(x as tf.Tensor2D, { temperature }), [z], { step: 3e-3 });
    }
  });

  it('has gradients orthogonal to its rows, scaled by the inverse norm', async () => {
    const gradient = tf.grad((x: tf.Tensor) => ntXent(x as tf.Tensor2D, { temperature: 0.2 }));
    const z = tf.tensor2d(wave(8, 5));
    const dz = gradient(z);
    await expectClose(tf.sum(tf.mul(dz, z), 1), new Float32Array(8), { atol: 1e-6 });
    await expectClose(tf.mul(gradient(tf.mul(z, 1000)), 1000), dz, { atol: 1e-5 });
  });

  it('trains a linear map as PyTorch does', async () => {
    // lightly's test of one process: 10 steps of SGD on X W^T against fixed targets, temperature 0.5, learning rate 0.1.
    const X = tf.reshape(tf.range(0, 80), [16, 5]) as tf.Tensor2D;
    const targets = tf.reshape(tf.range(0, 32), [8, 4]) as tf.Tensor2D;
    const W = tf.variable(
      tf.tensor2d([
        [0.1, 0.2, 0.3, 0.4, 0.5],
        [0.6, 0.7, 0.8, 0.9, 1],
      ]),
    );
    for (let step = 0; step < 10; step++) {
      tf.tidy(() => {
        const { grads } = tf.variableGrads(() => {
          const features = tf.reshape(tf.matMul(X, W, false, true), [8, 4]);
          return ntXent(tf.concat([features, targets]) as tf.Tensor2D, { temperature: 0.5 });
        }, [W]);
        W.assign(tf.sub(W, tf.mul(grads[W.name] as tf.Tensor, 0.1)));
      });
    }
    await expectClose(W, [0.1675, 0.2676, 0.3678, 0.4679, 0.568, 0.5763, 0.6742, 0.7721, 0.87, 0.9679], { atol: 1e-4 });
    tf.dispose([X, targets]);
  });

  it.each([
    [
      'an exactly zero row',
      [
        [1, 2],
        [0, 0],
        [2, 1],
        [3, 1],
      ],
    ],
    [
      'only zero rows',
      [
        [0, 0],
        [0, 0],
      ],
    ],
    [
      'rows below the smallest norm',
      [
        [1e-15, 0],
        [0, 1e-14],
        [1e-13, 0],
        [0, 1],
      ],
    ],
    [
      'very large rows',
      [
        [1e18, 0],
        [0, 1e18],
        [1e18, 1e18],
        [1, 1e18],
      ],
    ],
  ])('has a finite value and gradient with %s', async (_, rows) => {
    for (const temperature of [0.005, 0.5]) {
      const f = (x: tf.Tensor) => ntXent(x as tf.Tensor2D, { temperature });
      const result = tf.valueAndGrad(f)(tf.tensor2d(rows));
      for (const tensor of [result.value, result.grad]) {
        expect(Array.from(await tensor.data()).every(Number.isFinite)).toBe(true);
      }
    }
  });

  it('passes NaN on', async () => {
    expect(
      await value(
        [
          [Number.NaN, 1],
          [1, 0],
        ],
        0.5,
      ),
    ).toBeNaN();
  });

  it('leaves no tensors behind', async () => {
    const z = tf.tensor2d(wave(6, 3));
    await expectNoLeak(() => {
      ntXent(z, { temperature: 0.5 }).dispose();
      const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => ntXent(x as tf.Tensor2D, { temperature: 0.5 }))(z);
      tf.dispose([value, grad]);
    });
    z.dispose();
  });
});

describe('ntXent refuses', () => {
  const call = (projections: tf.Tensor, temperature = 0.5) =>
    tf.tidy(() => ntXent(projections as tf.Tensor2D, { temperature }));

  it('wrong shapes and types', () => {
    expect(() => call(tf.zeros([4]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: ntXent: projections must have rank 2, one row per view, got shape [4]. Flatten or pool each view to a vector first.]`,
    );
    expect(() => call(tf.zeros([7, 128]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: ntXent: projections must have an even number of rows, two views per image, got shape [7, 128]. Concatenate both views first.]`,
    );
    expect(() => call(tf.zeros([0, 8]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: ntXent: projections must have at least 2 rows and 1 column, got shape [0, 8]. Pass the two views of at least one image.]`,
    );
    expect(() => call(tf.zeros([2, 0]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: ntXent: projections must have at least 2 rows and 1 column, got shape [2, 0]. Pass the two views of at least one image.]`,
    );
    expect(() => call(tf.zeros([4, 2], 'int32'))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: ntXent: projections must be float32, got int32. Cast it with tf.cast(x, 'float32'): the loss is computed in float32 at every precision of the step.]`,
    );
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('temperature %d', (temperature) => {
    expect(() => call(tf.ones([2, 2]), temperature)).toThrow(RangeError);
  });

  it('a temperature with a text that says what to do', () => {
    expect(() => call(tf.ones([2, 2]), 0)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: ntXent: temperature must be a finite number above 0, got 0. Usual values lie between 0.05 and 1.]`,
    );
  });
});
