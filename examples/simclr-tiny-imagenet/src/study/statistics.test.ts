import { describe, expect, it } from 'vitest';
import { estimate, tProbability, tQuantile } from './statistics.ts';

describe('tQuantile', () => {
  it('gives the values of the printed tables', () => {
    const table = {
      1: 12.7062,
      2: 4.3027,
      3: 3.1824,
      4: 2.7764,
      5: 2.5706,
      9: 2.2622,
      10: 2.2281,
      29: 2.0452,
      120: 1.9799,
    };
    for (const [degrees, value] of Object.entries(table))
      expect(tQuantile(0.975, Number(degrees))).toBeCloseTo(value, 4);
    expect(tQuantile(0.95, 4)).toBeCloseTo(2.1318, 4);
    expect(tQuantile(0.995, 7)).toBeCloseTo(3.4995, 4);
    expect(tQuantile(0.975, 1_000_000)).toBeCloseTo(1.959964, 5);
  });

  it('is the inverse of the probability', () => {
    expect(tProbability(0, 3)).toBe(0.5);
    expect(tProbability(1, 1)).toBeCloseTo(0.75, 12); // Cauchy: 1/2 + atan(1) / pi
    for (const degrees of [1, 2, 5, 8]) {
      for (const p of [0.6, 0.9, 0.999]) expect(tProbability(tQuantile(p, degrees), degrees)).toBeCloseTo(p, 10);
    }
  });
});

describe('estimate', () => {
  it('gives mean, standard deviation and interval, worked by hand', () => {
    const { mean, deviation, low, high } = estimate([1, 2, 3, 4, 5]);
    expect(mean).toBe(3);
    expect(deviation).toBeCloseTo(Math.sqrt(2.5), 12);
    const half = (2.7764451 * Math.sqrt(2.5)) / Math.sqrt(5);
    expect([low, high].map((end) => Number((end as number).toFixed(5)))).toEqual(
      [3 - half, 3 + half].map((end) => Number(end.toFixed(5))),
    );
  });

  it('gives no interval for one value', () => {
    expect(estimate([7])).toEqual({ values: [7], mean: 7, deviation: null, low: null, high: null });
  });
});
