import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { median, significant, summarize } from './statistics.ts';

describe('median', () => {
  it('is the middle value, whatever the order', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([100, 1, 2, 3])).toBe(2.5);
    expect(median([7])).toBe(7);
  });

  it('leaves its argument as it is', () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });

  it('has as many values above as below', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1 }), (values) => {
        const middle = median(values);
        const above = values.filter((value) => value > middle).length;
        const below = values.filter((value) => value < middle).length;
        expect(Math.max(above, below)).toBeLessThanOrEqual(values.length / 2);
      }),
    );
  });

  it('refuses to summarise nothing', () => {
    expect(() => median([])).toThrowErrorMatchingInlineSnapshot(
      `[Error: median: values must hold at least one number, got none. Measure a round.]`,
    );
  });
});

describe('summarize', () => {
  it('gives median, extremes and relative spread', () => {
    expect(summarize([4, 2, 3, 8])).toEqual({ median: 3.5, minimum: 2, maximum: 8, spread: 6 / 3.5 });
  });

  it('is hardly moved by one disturbed round', () => {
    expect(summarize([10, 10, 11, 500]).median).toBe(10.5);
  });
});

describe('significant', () => {
  it('rounds to significant digits', () => {
    expect(significant(123.456789)).toBe(123.5);
    expect(significant(0.00123456, 3)).toBe(0.00123);
    expect(significant(0)).toBe(0);
  });
});
