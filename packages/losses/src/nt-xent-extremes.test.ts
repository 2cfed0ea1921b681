import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose } from '@tfjs-ssl/testing';
import seedrandom from 'seedrandom';
import { expect, it } from 'vitest';
import { errorOfLogits, expectRows, ROUNDOFF, temperatures } from '../test-support/extremes.ts';
import { both, ntXentInFloat64, partnerOf } from '../test-support/float64-contrast.ts';
import { contrastiveLogits, contrastiveRanks, ntXentWithRanks } from './index.ts';

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

/** Compares NT-Xent, its gradient and its ranks with float64. */
async function expectAgreement(z: number[][], temperature: number): Promise<void> {
  const rows = z.length;
  const expected = ntXentInFloat64(z, temperature);
  const got = await compute(z, temperature);
  const error = errorOfLogits(temperature);
  await expectClose([got.loss], [expected.loss], { atol: error, rtol: 2 * ROUNDOFF });
  await expectRows(got.dz, both(expected), error);
  for (const [i, cosines] of expected.cosines.entries()) {
    const partner = partnerOf(i, rows);
    const above = (margin: number) =>
      cosines.filter((cosine, j) => j !== i && j !== partner && cosine > cosines[partner]! + margin).length;
    expect(got.ranks[i]).toBeGreaterThanOrEqual(above(8 * ROUNDOFF));
    expect(got.ranks[i]).toBeLessThanOrEqual(above(-8 * ROUNDOFF));
  }
  expect(got.ranksOfLogits).toEqual(got.ranks);
}

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
      const expected = ntXentInFloat64(z, temperature);
      const got = await compute(z, temperature);
      await expectClose([got.loss], [expected.loss], { rtol: 1e-6 });
      await expectRows(got.dz, both(expected), 1e-6);
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
