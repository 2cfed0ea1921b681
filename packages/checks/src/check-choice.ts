import { argumentError, showValue } from './argument-error.ts';

/**
 * Throws unless a value is one of those that there are.
 *
 * @param fn - the function that was called.
 * @param argument - the name of the argument.
 * @param value - what came.
 * @param choices - what it may be.
 * @param advice - what to do. Default: to choose one.
 * @throws RangeError with the fields of `ArgumentFault`.
 * @example
 * ```ts
 * import { checkChoice } from '@tfjs-ssl/checks';
 *
 * checkChoice('resize', 'mode', 'crop', ['crop', 'stretch']);
 * ```
 */
export function checkChoice<Choice>(
  fn: string,
  argument: string,
  value: unknown,
  choices: readonly Choice[],
  advice = 'Choose one of these.',
): asserts value is Choice {
  if (choices.includes(value as Choice)) return;
  const list = choices.map(showValue);
  const required = list.length === 1 ? `be ${list[0]}` : `be ${list.slice(0, -1).join(', ')} or ${list.at(-1)}`;
  throw argumentError({ fn, argument, required, got: value, advice });
}
