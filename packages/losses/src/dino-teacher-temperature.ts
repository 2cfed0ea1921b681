import { checkNumber } from '@tfjs-ssl/checks';

/** Options of {@link dinoTeacherTemperature}. */
export interface DINOTeacherTemperatureOptions {
  /** Number of steps until the temperature reaches `end`, an integer >= 0. The paper uses the steps of 30 epochs. */
  readonly warmupSteps: number;
  /** Temperature of step 0, a finite number > 0. Default 0.04. */
  readonly start?: number;
  /** Temperature from step `warmupSteps` on, a finite number > 0. Default 0.07. */
  readonly end?: number;
}

/**
 * The temperature of DINO's teacher at a step: it goes linearly from `start` to `end` and then stays constant. A high temperature makes the first steps unstable.
 *
 *     start + (end - start) min(step / warmupSteps, 1)
 *
 * It depends only on the step, so a resumed training gets the same values. The reference implementations change it once per epoch, along `linspace(start, end, E)` for epochs 0 to
 * E - 1. For the same values, call `dinoTeacherTemperature(epoch, { warmupSteps: E - 1 })`.
 *
 * @param step - the step, from 0 on.
 * @param options - length and ends of the warm-up.
 * @returns the temperature; pass it to {@link dino}, as a scalar tensor if the step is compiled.
 * @throws RangeError if a number is out of range.
 * @example
 * ```ts
 * import { dinoTeacherTemperature } from '@tfjs-ssl/losses';
 *
 * console.log(dinoTeacherTemperature(50, { warmupSteps: 100 })); // 0.055
 * ```
 * @see Caron et al. 2021, "Emerging Properties in Self-Supervised Vision Transformers", section 3.2; `teacher_temp_schedule` of facebookresearch/dino.
 */
export function dinoTeacherTemperature(step: number, options: DINOTeacherTemperatureOptions): number {
  const { warmupSteps, start = 0.04, end = 0.07 } = options;
  checkNumber('dinoTeacherTemperature', 'step', step, { min: 0 }, 'The first is 0.');
  checkNumber(
    'dinoTeacherTemperature',
    'warmupSteps',
    warmupSteps,
    { min: 0, integer: true },
    '0 is a constant temperature.',
  );
  for (const [name, value] of Object.entries({ start, end })) {
    checkNumber('dinoTeacherTemperature', name, value, { above: 0 }, 'The paper goes from 0.04 to 0.07.');
  }
  return step >= warmupSteps ? end : start + (end - start) * (step / warmupSteps);
}
