import { checkNumber } from '@tfjs-ssl/checks';
import { checkCount, checkStep } from './check.ts';

/** Options of {@link cosineMomentum}. */
export interface CosineMomentumOptions {
  /** Momentum of the first step, in [0, 1]. BYOL and DINO take 0.996. */
  readonly start: number;
  /** Momentum from step `totalSteps` on, in [0, 1]. Default: 1. */
  readonly end?: number;
  /** Step at which the end is reached, an integer >= 1: usually the steps of the run. */
  readonly totalSteps: number;
}

/**
 * The momentum of a moving average of weights: half a cosine from the start to the end, step by step.
 *
 *     momentum = end - (end - start) (1 + cos(pi min(1, step / totalSteps))) / 2
 *
 * @param options - start, end, steps.
 * @returns a function of the step, for `movingAverage`.
 * @throws RangeError if an option is outside its range; from the function, if the step is not an integer >= 0.
 * @example
 * ```ts
 * import { cosineMomentum } from '@tfjs-ssl/trainer';
 *
 * const momentum = cosineMomentum({ start: 0.996, totalSteps: 1000 });
 * console.log(momentum(0), momentum(500), momentum(1000)); // 0.996 0.998 1
 * ```
 * @see Grill et al. 2020, "Bootstrap Your Own Latent", section 3.3; lightly's `cosine_schedule`, which reaches the end one step earlier.
 */
export function cosineMomentum(options: CosineMomentumOptions): (step: number) => number {
  const { start, end = 1, totalSteps } = options;
  for (const [name, value] of Object.entries({ start, end })) {
    checkNumber(
      'cosineMomentum',
      name,
      value,
      { min: 0, max: 1 },
      'It is the weight of the old values, such as 0.996.',
    );
  }
  checkCount('cosineMomentum', 'totalSteps', totalSteps, 1);
  return (step) => {
    checkStep('cosineMomentum', step);
    const done = Math.min(1, step / totalSteps);
    return end - ((end - start) / 2) * (1 + Math.cos(Math.PI * done));
  };
}
