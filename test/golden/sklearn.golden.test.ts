import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import {
  alignment,
  chooseProbe,
  confusion,
  effectiveRank,
  knnEvaluate,
  linearProbe,
  probeEvaluate,
  uniformity,
} from '@tfjs-ssl/evaluation';
import { describeEngines, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';

/** What `make-sklearn.py` has written. */
interface Values {
  readonly classes: number;
  readonly temperature: number;
  readonly columns: number;
  readonly bank: number[];
  readonly bankLabels: number[];
  readonly queries: number[];
  readonly queryLabels: number[];
  readonly ofRankThree: number[];
  readonly knn: Array<{ k: number; top1: number; top5: number; predictions: number[]; confusion: number[] }>;
  readonly probes: Array<{ lambda: number; loss: number; top1: number; top5: number }>;
  readonly alignment: number;
  readonly uniformity: { queries: number; bank: number };
  readonly rank: { queries: number; bank: number; ofRankThree: number };
}
const values: Values = JSON.parse(readFileSync(new URL('./fixtures/sklearn.json', import.meta.url), 'utf8'));
const { classes, temperature, columns, bankLabels, queryLabels } = values;
const matrix = (name: 'bank' | 'queries' | 'ofRankThree') =>
  tf.tensor2d(values[name], [values[name].length / columns, columns], 'float32');

describeEngines('golden scikit-learn', () => {
  it('kNN and confusion', async () => {
    const [bank, queries] = [matrix('bank'), matrix('queries')];
    const ks = values.knn.map(({ k }) => k);
    const options = { bank, bankLabels, queries, queryLabels, temperature, classes, ks };
    for (const [i, { predictions, ...accuracies }] of (await knnEvaluate(options)).entries()) {
      const { confusion: counts, predictions: expected, ...rest } = values.knn[i]!;
      expect(accuracies).toEqual(rest);
      expect([...predictions]).toEqual(expected);
      expect([...confusion({ labels: queryLabels, predictions, classes }).counts]).toEqual(counts);
    }
    tf.dispose([bank, queries]);
  });

  it('linear probes, and the best of them', async () => {
    const [bank, queries] = [matrix('bank'), matrix('queries')];
    await expectNoLeak(async () => {
      const seen: object[] = [];
      for (const { lambda, loss, top1, top5 } of values.probes) {
        const probe = await linearProbe({ features: bank, labels: bankLabels, classes, lambda });
        expect(probe.loss).toBeCloseTo(loss, 5);
        const { predictions: _, ...got } = await probeEvaluate({ probe, features: queries, labels: queryLabels });
        expect(got).toEqual({ top1, top5 });
        seen.push({ lambda: expect.closeTo(lambda, 7), top1: expect.any(Number) });
        tf.dispose([probe.weights, probe.bias]);
      }
      const chosen = await chooseProbe({ features: bank, labels: bankLabels, classes });
      expect(chosen.trials).toEqual(seen.reverse());
      const expected = values.probes.find(({ lambda }) => Math.abs(lambda / chosen.lambda - 1) < 1e-4)!;
      expect(chosen.loss).toBeCloseTo(expected.loss, 4);
      tf.dispose([chosen.weights, chosen.bias]);
    });
    tf.dispose([bank, queries]);
  });

  it('alignment, uniformity and effective rank', async () => {
    for (const name of ['queries', 'bank'] as const) {
      const features = matrix(name);
      expect(await uniformity(features)).toBeCloseTo(values.uniformity[name], 5);
      expect(await effectiveRank(features)).toBeCloseTo(values.rank[name], 6);
      features.dispose();
    }
    const [queries, ofRankThree] = [matrix('queries'), matrix('ofRankThree')];
    expect(await alignment(queries)).toBeCloseTo(values.alignment, 5);
    expect(await effectiveRank(ofRankThree)).toBeCloseTo(values.rank.ofRankThree, 6);
    tf.dispose([queries, ofRankThree]);
  });
});
