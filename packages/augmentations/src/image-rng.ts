/// <reference path="./alea.d.ts" />
import alea from 'seedrandom/lib/alea.js';

/** A source of uniform random numbers in [0, 1). */
export type Rng = () => number;

/** The random numbers of one view of one image depend on these values and on nothing else. */
export interface ImageKey {
  /** Seed of the run. */
  readonly seed: number | string;
  /** Epoch, an integer. */
  readonly epoch: number;
  /** Index of the image in its data set. */
  readonly image: number;
  /** Number of the view, from 0. */
  readonly view: number;
}

/**
 * The generator of one view of one image in one epoch.
 *
 * It is seedrandom's `alea`, seeded with `seed/epoch/image/view`. An image therefore gets the same views on every engine, after a resume, and for
 * every order, batch size and number of workers. Making a generator and drawing 20 numbers takes about a microsecond.
 *
 * @param key - see {@link ImageKey}.
 * @returns a function that returns the next number at each call; 32 random bits each.
 *
 * @example
 * ```ts
 * import { imageRng, randomResizedCrop } from '@tfjs-ssl/augmentations';
 *
 * const rng = imageRng({ seed: 0, epoch: 3, image: 1234, view: 1 });
 * console.log(randomResizedCrop({ size: 64 }).sample(rng, [64, 64])); // { top, left, height, width }
 * ```
 *
 * @see https://github.com/davidbau/seedrandom
 */
export function imageRng(key: ImageKey): Rng {
  return alea(`${key.seed}/${key.epoch}/${key.image}/${key.view}`);
}
