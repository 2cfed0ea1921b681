import { argumentError } from '@tfjs-ssl/checks';
/**
 * Computes the means over the first and the last tenth of a series. They show where a run began and ended with less noise than single steps.
 *
 * @param values - one number per step, in order; at least one.
 * @returns both means; a tenth has at least one step.
 * @throws RangeError for an empty series.
 * @example
 * ```ts
 * import { firstAndLastTenth } from '@tfjs-ssl/trainer';
 *
 * console.log(firstAndLastTenth([4, 3, 2, 1])); // { first: 4, last: 1 }
 * ```
 */
export function firstAndLastTenth(values: readonly number[]): { first: number; last: number } {
  if (values.length === 0) {
    throw argumentError({
      fn: 'firstAndLastTenth',
      argument: 'values',
      required: 'hold at least one number',
      got: values,
      shown: 'none',
      advice: 'Train a step first.',
    });
  }
  const count = Math.max(1, Math.floor(values.length / 10));
  return { first: mean(values.slice(0, count)), last: mean(values.slice(-count)) };
}

/** Arithmetic mean, summed in order. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
