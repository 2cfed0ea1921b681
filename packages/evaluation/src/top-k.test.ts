import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopK } from './top-k.ts';

describe('TopK', () => {
  it('keeps the largest and, of equals, the earliest, however the values are cut into blocks', () => {
    const values = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(
        values,
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 20 }),
        (numbers, wanted, block) => {
          const k = Math.min(wanted, numbers.length);
          const stream = Float32Array.from([9, 9, ...numbers]);
          const top = new TopK(k);
          for (let first = 0; first < numbers.length; first += block) {
            top.offer(stream, 2 + first, Math.min(block, numbers.length - first), first);
          }
          const sorted = numbers
            .map((value, place) => ({ value, place }))
            .sort((a, b) => b.value - a.value || a.place - b.place)
            .slice(0, k);
          expect([...top.places].sort((a, b) => a - b)).toEqual(sorted.map(({ place }) => place).sort((a, b) => a - b));
          expect([...top.values].sort((a, b) => b - a)).toEqual(sorted.map(({ value }) => value));
          expect([...top.sorted().places]).toEqual(sorted.map(({ place }) => place));
          expect([...top.sorted().values]).toEqual(sorted.map(({ value }) => value));
          top.places.forEach((place, i) => void expect(numbers[place]).toBe(top.values[i]));
        },
      ),
    );
  });
});
