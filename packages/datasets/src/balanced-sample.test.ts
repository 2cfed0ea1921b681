import { describe, expect, it } from 'vitest';
import { balancedSample } from './balanced-sample.ts';

/** 100 images of class 0, 30 of class 1, 4 of class 2. */
const labels = Int32Array.from({ length: 134 }, (_, i) => (i < 100 ? 0 : i < 130 ? 1 : 2));
const counts = (positions: Int32Array, classes = 3) => {
  const sizes = new Array<number>(classes).fill(0);
  for (const position of positions) sizes[labels[position] as number]!++;
  return sizes;
};

describe('balancedSample', () => {
  it('takes the share of each class, but at least one image', () => {
    expect(counts(balancedSample(labels, { fraction: 0.1, seed: 3 }))).toEqual([10, 3, 1]);
    expect(counts(balancedSample(labels, { fraction: 1e-6 }))).toEqual([1, 1, 1]);
    expect(balancedSample(labels, { fraction: 1 })).toEqual(Int32Array.from(labels.keys()));
  });

  it('is decided by the seed, and a smaller one is a part of a larger one', () => {
    const [small, large, other] = [
      balancedSample(labels, { fraction: 0.1, seed: 1 }),
      balancedSample(labels, { fraction: 0.3, seed: 1 }),
      balancedSample(labels, { fraction: 0.1, seed: 2 }),
    ];
    expect(balancedSample([...labels], { fraction: 0.1, seed: 1 })).toEqual(small);
    expect(small).toEqual(small.slice().sort());
    expect(new Set(small).size).toBe(small.length);
    expect([...small].every((position) => large.includes(position))).toBe(true);
    expect(other).not.toEqual(small);
  });

  it('chooses every image of a class equally often', () => {
    const drawn = new Map<number, number>();
    const ten = new Int32Array(10);
    for (let seed = 0; seed < 4000; seed++) {
      for (const position of balancedSample(ten, { fraction: 0.3, seed })) {
        drawn.set(position, (drawn.get(position) ?? 0) + 1);
      }
    }
    // 1200 each; five standard deviations of sqrt(4000 * 0.3 * 0.7) = 29
    for (let position = 0; position < 10; position++)
      expect(Math.abs((drawn.get(position) ?? 0) - 1200)).toBeLessThan(145);
  });

  it('says what it refuses', () => {
    const call = (fraction: number, of: number[]) => () => balancedSample(of, { fraction });
    expect(call(0, [0, 1])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: balancedSample: fraction must be a finite number in (0, 1], got 0. For a tenth of the labels it is 0.1.]`,
    );
    expect(call(1.5, [0, 1])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: balancedSample: fraction must be a finite number in (0, 1], got 1.5. For a tenth of the labels it is 0.1.]`,
    );
    expect(call(0.5, [])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: balancedSample: labels must hold a label, got 0. Pass those of a data set.]`,
    );
    expect(call(0.5, [0, -1])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: balancedSample: labels must be integers of at least 0, got -1 at position 1. Number the classes from 0.]`,
    );
  });
});
