import { expect } from 'vitest';
import type { RankOutcome } from './train-rank.ts';

/** |a - b| / |b| over all arrays together. */
export function relativeNorm(a: Record<string, number[]>, b: Record<string, number[]>): number {
  expect(Object.keys(a)).toEqual(Object.keys(b));
  let [difference, norm] = [0, 0];
  for (const [name, values] of Object.entries(b)) {
    const others = a[name] as number[];
    expect(others).toHaveLength(values.length);
    for (const [i, value] of values.entries()) {
      difference += ((others[i] as number) - value) ** 2;
      norm += value ** 2;
    }
  }
  return Math.sqrt(difference / norm);
}

/** Loss, accuracy, gradients and running statistics of the first step. */
export function expectSameStep(many: RankOutcome, one: RankOutcome, tolerance = 1e-6): void {
  expect(Math.abs((many.losses[0] as number) / (one.losses[0] as number) - 1)).toBeLessThan(1e-6);
  expect(many.accuracies[0]).toBeCloseTo(one.accuracies[0] as number, 6);
  const deviations = {
    gradients: relativeNorm(many.gradients, one.gradients),
    statistics: relativeNorm(many.statistics, one.statistics),
  };
  if (process.env.SHOW_DEVIATIONS) console.log(JSON.stringify(deviations));
  expect(deviations.gradients).toBeLessThan(tolerance);
  expect(deviations.statistics).toBeLessThan(1e-6);
}
