import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectGradient, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { ntXentWithRanks } from './nt-xent.ts';
import { pairLogits, pairRanks } from './pair-logits.ts';

/** Loss, ranks and gradient in double precision. */
function reference(z: number[][], temperature: number): { loss: number; ranks: number[]; dz: number[] } {
  const rows = z.length;
  const norms = z.map((row) => Math.max(Math.hypot(...row), 1e-12));
  const u = z.map((row, i) => row.map((value) => value / norms[i]!));
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, d) => sum + value * b[d]!, 0);
  const logits = u.map((a) => u.map((b) => dot(a, b) / temperature));
  const partner = (i: number) => (i + rows / 2) % rows;
  const others = (i: number) => u.map((_, j) => j).filter((j) => j !== i);
  const logSums = logits.map((row, i) => {
    const largest = Math.max(...others(i).map((j) => row[j]!));
    return largest + Math.log(others(i).reduce((sum, j) => sum + Math.exp(row[j]! - largest), 0));
  });
  const share = (i: number, j: number) => Math.exp(logits[i]![j]! - logSums[i]!);
  const dz = u.flatMap((own, i) => {
    const du = own.map((_, d) =>
      others(i).reduce((sum, j) => sum + (share(i, j) + share(j, i) - (j === partner(i) ? 2 : 0)) * u[j]![d]!, 0),
    );
    const radial = dot(own, du);
    return du.map((value, d) => (value - own[d]! * radial) / (norms[i]! * rows * temperature));
  });
  return {
    loss: logSums.reduce((sum, value, i) => sum + value - logits[i]![partner(i)]!, 0) / rows,
    ranks: logits.map((row, i) => others(i).filter((j) => row[j]! > row[partner(i)]!).length),
    dz,
  };
}

/** A batch without symmetry. */
const wave = (rows: number, columns: number): number[][] =>
  Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, d) => Math.sin(1 + 0.7 * i * columns + 1.3 * d + 0.05 * i * d)),
  );

describeEngines('ntXentWithRanks', () => {
  it.each([
    [2, 1, 0.5],
    [4, 3, 0.1],
    [6, 5, 0.07],
    [46, 17, 0.2],
    [52, 128, 0.5],
    [98, 33, 1],
    [520, 24, 0.1], // more columns than the kernels hold at once
  ])('equals double precision, %i rows of %i, temperature %f', async (rows, columns, temperature) => {
    const z = wave(rows, columns);
    const expected = reference(z, temperature);
    const [loss, ranks, dz] = tf.tidy(() => {
      const x = tf.tensor2d(z);
      const result = ntXentWithRanks(x, { temperature });
      const gradient = tf.grad((p: tf.Tensor) => ntXentWithRanks(p as tf.Tensor2D, { temperature }).loss)(x);
      return [result.loss, result.ranks, gradient] as const;
    });
    await expectClose(await loss.data(), [expected.loss], { rtol: 2e-6, atol: 1e-6 });
    await expectClose(await ranks.data(), expected.ranks, {});
    await expectClose(await dz.data(), expected.dz, { rtol: 1e-5, atol: 2e-6 });
    tf.dispose([loss, ranks, dz]);
  });

  it('passes on the factor of the loss', async () => {
    const scaled = tf.tidy(() => {
      const z = tf.tensor2d(wave(6, 4));
      return tf.grad((x: tf.Tensor) => tf.mul(ntXentWithRanks(x as tf.Tensor2D, { temperature: 0.3 }).loss, -3))(z);
    });
    await expectClose(
      await scaled.data(),
      reference(wave(6, 4), 0.3).dz.map((value) => -3 * value),
      { atol: 1e-6 },
    );
    scaled.dispose();
  });

  it('has the gradient of its differences', async () => {
    const z = tf.tensor2d(wave(8, 5));
    await expectGradient((x) => ntXentWithRanks(x as tf.Tensor2D, { temperature: 0.4 }).loss, [z], { step: 3e-3 });
    z.dispose();
  });

  it('lets ties count for the positive: a collapsed batch has rank 0 everywhere', async () => {
    const z = tf.tensor2d(Array.from({ length: 40 }, () => [0.3, -2, 5, 0.1]));
    const { loss, ranks } = ntXentWithRanks(z, { temperature: 0.07 });
    expect(Array.from(await ranks.data())).toEqual(new Array(40).fill(0));
    await expectClose(await loss.data(), [Math.log(39)], { atol: 1e-5 });
    tf.dispose([z, loss, ranks]);
  });

  it('gives the ranks of the logits', async () => {
    const [ranks, same] = tf.tidy(() => {
      const z = tf.randomNormal<tf.Rank.R2>([60, 3], 0, 1, 'float32', 4);
      return [ntXentWithRanks(z, { temperature: 0.3 }).ranks, pairRanks(pairLogits(z, 0.3))] as const;
    });
    const values = Array.from(await ranks.data());
    expect(Math.max(...values)).toBeGreaterThan(20);
    expect(values).toEqual(Array.from(await same.data()));
    tf.dispose([ranks, same]);
  });

  it('gives every row rank 2N where a projection is NaN', async () => {
    const z = tf.tensor2d([
      [1, 2],
      [3, Number.NaN],
      [1, 1],
      [0, 1],
    ]);
    const { loss, ranks } = ntXentWithRanks(z, { temperature: 1 });
    expect(Array.from(await ranks.data())).toEqual([4, 4, 4, 4]);
    expect((await loss.data())[0]).toBeNaN();
    tf.dispose([z, loss, ranks]);
  });

  it('has finite gradients at zero rows, tiny and huge norms and a low temperature', async () => {
    const gradient = tf.tidy(() =>
      tf.grad((x: tf.Tensor) => ntXentWithRanks(x as tf.Tensor2D, { temperature: 0.004 }).loss)(
        tf.tensor2d([
          [0, 0, 0],
          [1e-30, 0, 1e-30],
          [1e15, -1e15, 1],
          [1, 2, 3],
        ]),
      ),
    );
    expect(Array.from(await gradient.data()).every(Number.isFinite)).toBe(true);
    gradient.dispose();
  });

  it('leaves no tensors behind', async () => {
    const z = tf.tensor2d(wave(8, 5));
    await expectNoLeak(() => {
      const { loss, ranks } = ntXentWithRanks(z, { temperature: 0.2 });
      tf.dispose([loss, ranks]);
    });
    await expectNoLeak(() => {
      tf.grad((x: tf.Tensor) => ntXentWithRanks(x as tf.Tensor2D, { temperature: 0.2 }).loss)(z).dispose();
    });
  });

  it('refuses what is not a batch of pairs', () => {
    expect(() => ntXentWithRanks(tf.zeros([3, 2]), { temperature: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: ntXentWithRanks: projections must have shape [2N, D], got [3, 2]. Concatenate the two views of every image.]`,
    );
    expect(() => ntXentWithRanks(tf.zeros([2, 2]), { temperature: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: ntXentWithRanks: temperature must be a finite number above 0, got 0. Usual values lie between 0.05 and 1.]`,
    );
  });
});
