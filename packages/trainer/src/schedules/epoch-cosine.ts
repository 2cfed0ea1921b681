import type { Schedule } from '../types.ts';
import { checkCount, checkRate, checkStep } from './check.ts';

/** Options of {@link epochCosine}. */
export interface EpochCosineOptions {
  /** Learning rate of the first epoch, at least 0. */
  readonly learningRate: number;
  /** Steps in an epoch, an integer >= 1. */
  readonly stepsPerEpoch: number;
  /** Epochs from the first change to the final rate (PyTorch's `T_max`), an integer >= 1: usually the epochs of the run. */
  readonly epochs: number;
  /** Index of the epoch, from 0, up to which the rate stays constant; an integer >= 0. Default: 0. */
  readonly firstEpoch?: number;
}

/**
 * A cosine that advances once an epoch.
 *
 *     lr = learningRate / 2 (1 + cos(pi max(0, epoch - firstEpoch) / epochs)),    epoch = floor(step / stepsPerEpoch)
 *
 * It equals PyTorch's `CosineAnnealingLR(T_max=epochs)` stepped at the end of every epoch from `firstEpoch` on. Like PyTorch's, the rate
 * rises again after `epochs` changes. For a cosine that falls at every step, after a warm-up, use {@link warmupCosine}.
 *
 * @param options - first rate, steps per epoch, epochs to 0, first epoch.
 * @returns the schedule.
 * @throws RangeError if an option is outside its range; from the schedule, if the step is not an integer >= 0.
 * @example
 * ```ts
 * import { epochCosine } from '@tfjs-ssl/trainer';
 *
 * const schedule = epochCosine({ learningRate: 3e-4, stepsPerEpoch: 390, epochs: 50 });
 * console.log(schedule(0), schedule(25 * 390).toFixed(6)); // 0.0003 0.000150
 * ```
 * @see Loshchilov & Hutter 2017, "SGDR", eq. 5.
 */
export function epochCosine(options: EpochCosineOptions): Schedule {
  const { learningRate, stepsPerEpoch, epochs, firstEpoch = 0 } = options;
  checkRate('epochCosine', 'learningRate', learningRate);
  checkCount('epochCosine', 'stepsPerEpoch', stepsPerEpoch, 1);
  checkCount('epochCosine', 'epochs', epochs, 1);
  checkCount('epochCosine', 'firstEpoch', firstEpoch, 0);
  return (step) => {
    checkStep('epochCosine', step);
    const changes = Math.max(0, Math.floor(step / stepsPerEpoch) - firstEpoch);
    return (learningRate / 2) * (1 + Math.cos((Math.PI * changes) / epochs));
  };
}
