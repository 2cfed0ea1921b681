import type { Schedule } from '../types.ts';
import { checkRate, checkStep } from './check.ts';

/** Options of {@link constantSchedule}. */
export interface ConstantScheduleOptions {
  /** The learning rate, at least 0. */
  readonly learningRate: number;
}

/**
 * The same learning rate at every step.
 *
 * @param options - the learning rate.
 * @returns the schedule.
 * @throws RangeError if the learning rate is not finite and >= 0; from the schedule, if the step is not an integer >= 0.
 * @example
 * ```ts
 * import { constantSchedule } from '@tfjs-ssl/trainer';
 *
 * const schedule = constantSchedule({ learningRate: 3e-4 });
 * console.log(schedule(0), schedule(10_000)); // 0.0003 0.0003
 * ```
 */
export function constantSchedule({ learningRate }: ConstantScheduleOptions): Schedule {
  checkRate('constantSchedule', 'learningRate', learningRate);
  return (step) => {
    checkStep('constantSchedule', step);
    return learningRate;
  };
}
