import { argumentError } from '@tfjs-ssl/checks';
import type { Schedule } from '../types.ts';
import { checkCount, checkRate, checkStep } from './check.ts';

/** Options of {@link warmupCosine}. */
export interface WarmupCosineOptions {
  /** The largest learning rate, at least 0, reached at step `warmupSteps`. */
  readonly learningRate: number;
  /** Steps of the linear rise, an integer >= 0 and below `totalSteps`. */
  readonly warmupSteps: number;
  /** Step at which the final rate is reached, an integer >= 1. */
  readonly totalSteps: number;
  /** Learning rate from `totalSteps` on, at least 0. Default: 0. */
  readonly finalLearningRate?: number;
}

/**
 * A linear rise from 0 to the peak, then half a cosine down to the final rate, step by step.
 *
 * With peak = `learningRate` and final = `finalLearningRate`: lr = peak step / warmupSteps while step < warmupSteps, then
 * final + (peak - final) / 2 (1 + cos(pi min(1, (step - warmupSteps) / (totalSteps - warmupSteps)))).
 * With warm-up the first step has learning rate 0, as in google-research/simclr. For final = 0 it equals `WarmUpAndCosineDecay` there.
 *
 * lightly's `CosineWarmupScheduler` is one step off: its first step has peak / warmupSteps instead of 0, and its cosine ends at the last step,
 * totalSteps - 1. This one ends at totalSteps, the first step that is not taken.
 *
 * @param options - peak, steps of the rise, steps in all, final rate.
 * @returns the schedule.
 * @throws RangeError if an option is outside its range; from the schedule, if the step is not an integer >= 0.
 * @example
 * ```ts
 * import { warmupCosine } from '@tfjs-ssl/trainer';
 *
 * const schedule = warmupCosine({ learningRate: 2e-3, warmupSteps: 20, totalSteps: 2500 });
 * console.log(schedule(10), schedule(20), schedule(1260), schedule(2500)); // 0.001 0.002 0.001 0
 * ```
 * @see Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations", section 2.2.
 */
export function warmupCosine(options: WarmupCosineOptions): Schedule {
  const { learningRate: peak, warmupSteps, totalSteps, finalLearningRate: final = 0 } = options;
  checkRate('warmupCosine', 'learningRate', peak);
  checkRate('warmupCosine', 'finalLearningRate', final);
  checkCount('warmupCosine', 'warmupSteps', warmupSteps, 0);
  checkCount('warmupCosine', 'totalSteps', totalSteps, 1);
  if (warmupSteps >= totalSteps) {
    throw argumentError({
      fn: 'warmupCosine',
      argument: 'warmupSteps',
      required: `be below totalSteps, ${totalSteps}`,
      got: warmupSteps,
      advice: 'Warm up for a part of the run, usually a tenth.',
    });
  }
  return (step) => {
    checkStep('warmupCosine', step);
    if (step < warmupSteps) return (peak * step) / warmupSteps;
    const done = Math.min(1, (step - warmupSteps) / (totalSteps - warmupSteps));
    return final + ((peak - final) / 2) * (1 + Math.cos(Math.PI * done));
  };
}
