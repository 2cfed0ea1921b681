import type { Schedule } from '../types.ts';
import { checkCount, checkRate, checkStep } from './check.ts';

/** Options of {@link epochCosine}. */
export interface EpochCosineOptions {
  /** Learning rate of the first epochs, at least 0. */
  readonly base: number;
  /** Steps in an epoch, an integer >= 1. */
  readonly stepsPerEpoch: number;
  /** Index, from 0, of the first epoch that ends with a change of the rate; an integer >= 0. Default: 10. */
  readonly firstEpoch?: number;
  /** Epochs from the base rate to 0, an integer >= 1. Default: `stepsPerEpoch`, which is the paper's reading of "T_max". */
  readonly tMax?: number;
}

/**
 * The paper's schedule: a cosine that advances once an epoch, from the eleventh on, and is to reach 0 after as many epochs as an
 * epoch has steps.
 *
 *     lr = base / 2 (1 + cos(pi max(0, epoch - firstEpoch) / tMax)),    epoch = floor(step / stepsPerEpoch)
 *
 * That is PyTorch's `CosineAnnealingLR(T_max=len(train_loader))` stepped per epoch, as the public code the paper uses has it. With 390 steps an epoch
 * the rate hardly falls: after 50 epochs it is 97.6 % of its start, the paper's printed 0.000293. For a cosine that ends at the end of the run
 * use {@link warmupCosine}. Past tMax epochs the rate rises again, as PyTorch's does.
 *
 * @param options - base rate, steps per epoch, first epoch, epochs to 0.
 * @returns the schedule.
 * @throws RangeError if an option is outside its range; from the schedule, if the step is not an integer >= 0.
 * @example
 * ```ts
 * import { epochCosine } from '@tfjs-ssl/trainer';
 *
 * const schedule = epochCosine({ base: 3e-4, stepsPerEpoch: 390 });
 * console.log(schedule(0).toFixed(6), schedule(19_400).toFixed(6)); // 0.000300 0.000293
 * ```
 * @see github.com/sthalles/SimCLR, run.py and simclr.py; Loshchilov & Hutter 2017, "SGDR", eq. 5.
 */
export function epochCosine(options: EpochCosineOptions): Schedule {
  const { base, stepsPerEpoch, firstEpoch = 10, tMax = stepsPerEpoch } = options;
  checkRate('epochCosine', 'base', base);
  checkCount('epochCosine', 'stepsPerEpoch', stepsPerEpoch, 1);
  checkCount('epochCosine', 'firstEpoch', firstEpoch, 0);
  checkCount('epochCosine', 'tMax', tMax, 1);
  return (step) => {
    checkStep('epochCosine', step);
    const changes = Math.max(0, Math.floor(step / stepsPerEpoch) - firstEpoch);
    return (base / 2) * (1 + Math.cos((Math.PI * changes) / tMax));
  };
}
