import * as tf from '@tensorflow/tfjs-core';
import { knnAccuracy, knnClassify, linearProbe, probeAccuracy } from '@tfjs-ssl/evaluation';
import { expect } from 'vitest';
import { describeGolden, expectGolden, type GoldenCase, type GoldenGroup } from './harness.ts';

const matrix = (group: GoldenGroup, name: string): tf.Tensor2D => {
  const { data, shape } = group.tensor(name);
  return tf.tensor2d(Float32Array.from(data), shape as [number, number]);
};

/** The rows of a row-major array that are not among the fragile queries. */
const without = (fragile: readonly number[], values: ArrayLike<number>, width: number): number[] =>
  Array.from(values).filter((_, i) => !fragile.includes(Math.floor(i / width)));

async function knnCase(golden: GoldenCase, group: GoldenGroup): Promise<void> {
  const { k, T: temperature, classes } = golden.params;
  const labels = {
    bankLabels: group.tensor(golden.inputs.bank_labels).data,
    queryLabels: group.tensor(golden.inputs.query_labels).data,
  };
  const [bank, queries] = [matrix(group, golden.inputs.bank), matrix(group, golden.inputs.query)];
  const options = { bank, queries, ...labels, k, temperature, classes };
  const { predictions, scores } = await knnClassify(options);
  const fragile: number[] = golden.fragile ?? [];
  const expected = group.tensor(golden.expected.predictions.tensor).data;
  expect(without(fragile, predictions, 1)).toEqual(without(fragile, expected, 1));
  expectGolden(group, 'scores', scores, golden.expected.scores);
  if (fragile.length === 0)
    expectGolden(group, 'top-1', 100 * (await knnAccuracy(options)), golden.expected.top1_percent);
  tf.dispose([bank, queries]);
}

/** The objective in double precision. */
function objective(
  group: GoldenGroup,
  golden: GoldenCase,
  weights: ArrayLike<number>,
  bias: ArrayLike<number>,
): number {
  const x = group.tensor(golden.inputs.x);
  const y = group.tensor(golden.inputs.y).data;
  const [rows, columns] = x.shape as [number, number];
  let sum = 0;
  for (let row = 0; row < rows; row++) {
    const logits = Array.from(bias, (value, c) => {
      let logit = value;
      for (let j = 0; j < columns; j++)
        logit += (weights[c * columns + j] as number) * (x.data[row * columns + j] as number);
      return logit;
    });
    const largest = Math.max(...logits);
    const total = logits.reduce((partial, logit) => partial + Math.exp(logit - largest), 0);
    sum += largest + Math.log(total) - (logits[y[row] as number] as number);
  }
  const squares = Array.from(weights).reduce((partial, weight) => partial + weight * weight, 0);
  return sum / rows + (golden.params.lambda / 2) * squares;
}

async function probeCase(golden: GoldenCase, group: GoldenGroup): Promise<void> {
  const { lambda, classes } = golden.params;
  const { loss, W, b, train_top1, test_top1 } = golden.expected;
  const features = matrix(group, golden.inputs.x);
  const labels = group.tensor(golden.inputs.y).data;
  const probe = await linearProbe({ features, labels, classes, lambda });
  const [weights, bias] = [await probe.weights.data(), await probe.bias.data()];
  expect(probe.converged).toBe(true);
  expectGolden(group, 'loss', probe.loss, loss);
  const exact = objective(group, golden, weights, bias);
  expect(exact).toBeLessThanOrEqual(loss.value + loss.atol);
  expect(exact).toBeGreaterThanOrEqual(loss.value - 1e-9);
  expectGolden(group, 'W', weights, W);
  expectGolden(group, 'b', bias, b);
  expectGolden(group, 'train top-1', 100 * (await probeAccuracy({ probe, features, labels })), train_top1);
  const test = {
    features: matrix(group, golden.inputs.x_test),
    labels: group.tensor(golden.inputs.y_test).data,
  };
  expectGolden(group, 'test top-1', 100 * (await probeAccuracy({ probe, ...test })), test_top1);
  tf.dispose([features, test.features, probe.weights, probe.bias]);
}

await describeGolden('evaluation', (golden) => {
  if (golden.formula === 'knn') return { run: (group) => knnCase(golden, group) };
  if (golden.formula === 'softmax_regression') return { run: (group) => probeCase(golden, group) };
  return undefined;
});
