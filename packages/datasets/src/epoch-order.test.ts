import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { epochOrder } from './epoch-order.ts';

describe('epochOrder', () => {
  it('is a permutation that depends on seed and epoch alone', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(), fc.nat(1000), (length, seed, epoch) => {
        const order = epochOrder({ length, seed, epoch });
        expect([...order].sort((a, b) => a - b)).toEqual([...Array(length).keys()]);
        expect(epochOrder({ length, seed, epoch })).toEqual(order);
      }),
    );
  });

  it('differs between epochs and between seeds', () => {
    const first = epochOrder({ length: 1000, seed: 1, epoch: 1 });
    expect(epochOrder({ length: 1000, seed: 1, epoch: 2 })).not.toEqual(first);
    expect(epochOrder({ length: 1000, seed: 2, epoch: 1 })).not.toEqual(first);
    expect(epochOrder({ length: 1000, seed: 11, epoch: 1 })).not.toEqual(
      epochOrder({ length: 1000, seed: 1, epoch: 11 }),
    );
  });

  it('stays as it is: a seeded run can be repeated with a later version', () => {
    expect([...epochOrder({ length: 8, seed: 1, epoch: 0 })]).toMatchInlineSnapshot(`
      [
        3,
        0,
        2,
        5,
        7,
        1,
        6,
        4,
      ]
    `);
  });

  it('puts every image at every place equally often', () => {
    const length = 6;
    const counts = new Int32Array(length * length);
    for (let epoch = 0; epoch < 6000; epoch++) {
      epochOrder({ length, seed: 3, epoch }).forEach((image, place) => {
        counts[place * length + image]!++;
      });
    }
    // 25 degrees of freedom: 52.6 is passed once in a thousand.
    const chiSquared = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquared).toBeLessThan(52.6);
  });

  it('refuses other numbers', () => {
    expect(() => epochOrder({ length: 2.5, seed: 0, epoch: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: epochOrder: length must be an integer of at least 0, got 2.5. Both count from 0.]`,
    );
    expect(() => epochOrder({ length: 2, seed: 0, epoch: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: epochOrder: epoch must be an integer of at least 0, got -1. Both count from 0.]`,
    );
  });
});
