import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { niceTicks, tickLabels } from './nice-ticks.ts';

describe('niceTicks', () => {
  it.each([
    [0, 50, 8, ['0', '10', '20', '30', '40', '50']],
    [1.42, 2.97, 6, ['1.0', '1.5', '2.0', '2.5', '3.0']],
    [0, 1, 10, ['0.0', '0.1', '0.2', '0.3', '0.4', '0.5', '0.6', '0.7', '0.8', '0.9', '1.0']],
    [0, 19_500, 8, ['0', '5000', '10000', '15000', '20000']],
    [2, 2, 6, ['2.0', '2.5']],
  ])('covers %d to %d with round numbers', (low, high, count, labels) => {
    expect(tickLabels(niceTicks(low, high, count))).toEqual(labels);
  });

  it('covers any range with about as many as asked for', () => {
    const number = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(
        number,
        fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
        fc.integer({ min: 2, max: 12 }),
        (low, range, count) => {
          const ticks = niceTicks(low, low + range, count);
          const slack = 1e-9 * (Math.abs(low) + range);
          expect(ticks[0]).toBeLessThanOrEqual(low + slack);
          expect(ticks.at(-1)).toBeGreaterThanOrEqual(low + range - slack);
          expect(ticks.length).toBeGreaterThanOrEqual(2);
          expect(ticks.length).toBeLessThanOrEqual(count + 3);
          expect(new Set(tickLabels(ticks)).size).toBe(ticks.length);
        },
      ),
    );
  });
});
