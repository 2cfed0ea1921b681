import type { Schedule } from '../types.ts';
import { checkRate, checkStep } from './check.ts';

/**
 * The same learning rate at every step.
 *
 * @param learningRate - at least 0.
 * @returns the schedule.
 * @throws RangeError if the learning rate is not finite and >= 0; from the schedule, if the step is not an integer >= 0.
 * @example
 * ```ts
 * import { constantSchedule } from '@tfjs-ssl/trainer';
 *
 * const schedule = constantSchedule(3e-4);
 * console.log(schedule(0), schedule(10_000)); // 0.0003 0.0003
 * ```
 */
export function constantSchedule(learningRate: number): Schedule {
  checkRate('constantSchedule', 'learningRate', learningRate);
  return (step) => {
    checkStep('constantSchedule', step);
    return learningRate;
  };
}
