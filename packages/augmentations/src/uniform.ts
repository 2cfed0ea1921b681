import type { Rng } from './image-rng.ts';

/** A real number, uniform in [low, high). */
export function uniform(rng: Rng, [low, high]: readonly [number, number]): number {
  return low + (high - low) * rng();
}

/** An integer, uniform in 0 .. count - 1. */
export function uniformInteger(rng: Rng, count: number): number {
  return Math.floor(rng() * count);
}

/** A permutation of 0 .. count - 1, all equally likely (Fisher and Yates). */
export function uniformPermutation(rng: Rng, count: number): number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  for (let last = count - 1; last > 0; last--) {
    const other = uniformInteger(rng, last + 1);
    [order[last], order[other]] = [order[other] as number, order[last] as number];
  }
  return order;
}
