import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose } from '@tfjs-ssl/testing';
import seedrandom from 'seedrandom';
import { expect, it } from 'vitest';
import { contrastiveLogits, contrastiveRanks, ntXentWithRanks } from './index.ts';

/** Unit roundoff of float32. */
const ROUNDOFF = 2 ** -24;

/** Loss, gradient, cosines and how much the weights of each row's gradient are in all, in float64: norms of float32 rows cannot leave it. */
function reference(z: number[][], temperature: number) {
  const rows = z.length;
  const norms = z.map((row) => Math.max(Math.sqrt(row.reduce((sum, value) => sum + value * value, 0)), 1e-12));
  const u = z.map((row, i) => row.map((value) => value / norms[i]!));
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, d) => sum + value * b[d]!, 0);
  const cosines = u.map((a) => u.map((b) => dot(a, b)));
  const partner = (i: number) => (i + rows / 2) % rows;
  const shares = cosines.map((row, i) => {
    const largest = Math.max(...row.filter((_, j) => j !== i));
    const exponentials = row.map((cosine, j) => (j === i ? 0 : Math.exp((cosine - largest) / temperature)));
    const sum = exponentials.reduce((total, value) => total + value, 0);
    return { probabilities: exponentials.map((e) => e / sum), logSum: largest / temperature + Math.log(sum) };
  });
  const losses = shares.map(({ logSum }, i) => logSum - cosines[i]![partner(i)]! / temperature);
  const pull = (i: number, j: number) => shares[i]!.probabilities[j]! + shares[j]!.probabilities[i]!;
  const gradient = u.map((own, i) => {
    const du = own.map((_, d) =>
      u.reduce((sum, other, j) => sum + (j === i ? 0 : pull(i, j) - (j === partner(i) ? 2 : 0)) * other[d]!, 0),
    );
    const radial = norms[i]! > 1e-12 ? dot(own, du) : 0;
    return du.map((value, d) => (value - own[d]! * radial) / (norms[i]! * rows * temperature));
  });
  const weights = u.map((_, i) => u.reduce((sum, __, j) => sum + (j === i ? 0 : pull(i, j)), 2));
  return { loss: losses.reduce((sum, value) => sum + value, 0) / rows, gradient, cosines, norms, weights };
}

async function compute(z: number[][], temperature: number) {
  const [loss, ranks, dz, ofLogits] = tf.tidy(() => {
    const x = tf.tensor2d(z);
    const result = ntXentWithRanks(x, { temperature });
    const gradient = tf.grad((p: tf.Tensor) => ntXentWithRanks(p as tf.Tensor2D, { temperature }).loss)(x);
    return [result.loss, result.ranks, gradient, contrastiveRanks(contrastiveLogits(x, { temperature }))] as const;
  });
  const values = {
    loss: (await loss.data())[0] as number,
    ranks: Array.from(await ranks.data()),
    ranksOfLogits: Array.from(await ofLogits.data()),
    dz: await dz.data(),
  };
  tf.dispose([loss, ranks, dz, ofLogits]);
  return values;
}

/**
 * Compares with the reference. A cosine of float32 is off by some roundoffs, so logits are by as many over the temperature; the loss by that
 * and its own rounding, the probabilities in proportion, and of two logits nearer than that either may be the greater. The gradient of a row is
 * a sum of unit rows with these probabilities for weights, over rows temperature norm.
 */
async function expectAgreement(z: number[][], temperature: number): Promise<void> {
  const rows = z.length;
  const expected = reference(z, temperature);
  const got = await compute(z, temperature);
  const ofLogits = 8 * ROUNDOFF * (1 + 1 / temperature);
  await expectClose([got.loss], [expected.loss], { atol: ofLogits, rtol: 2 * ROUNDOFF });
  const columns = z[0]!.length;
  for (let i = 0; i < rows; i++) {
    const scale = expected.weights[i]! / (rows * temperature * expected.norms[i]!);
    const row = got.dz.slice(i * columns, (i + 1) * columns);
    await expectClose(row, expected.gradient[i]!, { atol: ofLogits * scale + 1e-37 });
    const positive = expected.cosines[i]![(i + rows / 2) % rows]!;
    const above = (margin: number) =>
      expected.cosines[i]!.filter((cosine, j) => j !== i && j !== (i + rows / 2) % rows && cosine > positive + margin)
        .length;
    expect(got.ranks[i]).toBeGreaterThanOrEqual(above(8 * ROUNDOFF));
    expect(got.ranks[i]).toBeLessThanOrEqual(above(-8 * ROUNDOFF));
  }
  expect(got.ranksOfLogits).toEqual(got.ranks);
}

const temperatures = [1e-4, 1e-3, 1e-2, 0.07, 0.5, 1, 10];

describeEngines('contrastive loss in the extremes', () => {
  it.each(temperatures)('agrees with float64 for norms from 1e-30 to 1e30, temperature %f', async (temperature) => {
    const random = seedrandom(`norms ${temperature}`);
    const power = () => 10 ** (60 * random() - 30);
    for (const [rows, columns] of [
      [2, 3],
      [16, 8],
      [70, 33],
    ] as const) {
      const z = Array.from({ length: rows }, () => {
        const norm = power();
        return Array.from({ length: columns }, () => Math.fround((2 * random() - 1) * norm));
      });
      await expectAgreement(z, temperature);
    }
  });

  it.each(temperatures)('agrees with float64 for elements from 1e-30 to 1e30, temperature %f', async (temperature) => {
    const random = seedrandom(`elements ${temperature}`);
    const z = Array.from({ length: 16 }, () =>
      Array.from({ length: 5 }, () => Math.fround((random() < 0.5 ? -1 : 1) * 10 ** (60 * random() - 30))),
    );
    await expectAgreement(z, temperature);
  });

  it('is right up to the largest float32', async () => {
    const z = [3.4e38, 3.4e38, 3e38, 1, 1e38, -3.4e38].map((value, i) => [Math.fround(value), i % 2 ? 1e38 : 3.4e38]);
    await expectAgreement(
      z.map((row) => row.map(Math.fround)),
      0.1,
    );
  });

  it('is right at temperatures far below 1e-4 where cosines are exact', async () => {
    // Unit vectors of the axes, in lengths that are powers of two: cosines are 0 and 1, many of them tied.
    const random = seedrandom('axes');
    const z = Array.from({ length: 24 }, () => {
      const axis = Math.floor(3 * random());
      const length = 2 ** Math.floor(160 * random() - 39);
      return [0, 1, 2].map((d) => (d === axis ? length : 0));
    });
    for (const temperature of [1e-8, 1e-12]) {
      const expected = reference(z, temperature);
      const got = await compute(z, temperature);
      await expectClose([got.loss], [expected.loss], { rtol: 1e-6 });
      for (const [i, row] of expected.gradient.entries()) {
        const scale = expected.weights[i]! / (z.length * temperature * expected.norms[i]!);
        await expectClose(got.dz.slice(3 * i, 3 * i + 3), row, { atol: 1e-6 * scale });
      }
      expect(got.ranks).toEqual(
        expected.cosines.map((row, i) => row.filter((c, j) => j !== i && c > row[(i + 12) % 24]!).length),
      );
    }
  });

  it('counts the same ranks with and without the logits, ties included', async () => {
    const random = seedrandom('ties');
    for (const [rows, columns] of [
      [12, 2],
      [40, 3],
      [64, 9],
      [330, 4],
    ] as const) {
      const z = Array.from({ length: rows }, () => {
        const factor = Math.ceil(9 * random());
        return Array.from({ length: columns }, () => factor * Math.floor(3 * random() - 1));
      });
      const { ranks, ranksOfLogits } = await compute(z, 0.07);
      expect(ranksOfLogits).toEqual(ranks);
    }
  });
});
