import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Point, runningMean, thinOut } from './series.ts';

const points = (ys: readonly number[]): Point[] => ys.map((y, x) => ({ x, y }));
const ys = (curve: readonly Point[]): number[] => curve.map(({ y }) => y);

describe('thinOut', () => {
  it('keeps the lowest and the highest of each part, in order', () => {
    expect(thinOut(points([1, 5, 2, 0, 9, 4, 4, 3, 8, 7, 7, 1]), 3)).toEqual([
      { x: 1, y: 5 },
      { x: 3, y: 0 },
      { x: 4, y: 9 },
      { x: 7, y: 3 },
      { x: 8, y: 8 },
      { x: 11, y: 1 },
    ]);
  });

  it('leaves a short curve as it is', () => {
    expect(ys(thinOut(points([3, 1, 2]), 2))).toEqual([3, 1, 2]);
    expect(thinOut([], 5)).toEqual([]);
  });

  it('keeps the extremes and the order of any curve', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer(), { minLength: 1, maxLength: 300 }),
        fc.integer({ min: 1, max: 40 }),
        (values, columns) => {
          const thin = thinOut(points(values), columns);
          expect(thin.length).toBeLessThanOrEqual(Math.max(2 * columns, Math.min(values.length, 2 * columns)));
          expect(Math.max(...ys(thin))).toBe(Math.max(...values));
          expect(Math.min(...ys(thin))).toBe(Math.min(...values));
          expect(thin.every(({ x }, i) => i === 0 || x >= (thin[i - 1] as Point).x)).toBe(true);
        },
      ),
    );
  });
});

describe('runningMean', () => {
  it('takes fewer points at the ends', () => {
    expect(ys(runningMean(points([1, 2, 6, 7, 0]), 1))).toEqual([1.5, 3, 5, 13 / 3, 3.5]);
  });

  it('is the curve itself without neighbours', () => {
    expect(runningMean(points([4, 2]), 0)).toEqual(points([4, 2]));
  });
});
