import { argumentError } from './argument-error.ts';

/** What a number must be: finite, and within these bounds. */
export interface NumberRule {
  /** Greater than this. */
  readonly above?: number;
  /** At least this. */
  readonly min?: number;
  /** At most this. */
  readonly max?: number;
  /** Less than this. */
  readonly below?: number;
  readonly integer?: boolean;
}

/**
 * A rule in words.
 *
 * @param rule - the bounds.
 * @param many - whether of several numbers. Default: false.
 * @returns for example `'an integer of at least 1'`, or `'integers of at least 1'`.
 * @example
 * ```ts
 * import { describeRule } from '@tfjs-ssl/checks';
 *
 * console.log(describeRule({ min: 0, max: 1 })); // a finite number in [0, 1]
 * ```
 */
export function describeRule({ above, min, max, below, integer }: NumberRule, many = false): string {
  const kind = integer ? (many ? 'integers' : 'an integer') : many ? 'finite numbers' : 'a finite number';
  const [low, high] = [above ?? min, below ?? max];
  if (low !== undefined && high !== undefined) {
    return `${kind} in ${above === undefined ? '[' : '('}${low}, ${high}${below === undefined ? ']' : ')'}`;
  }
  if (low !== undefined) return `${kind} ${above === undefined ? 'of at least' : 'above'} ${low}`;
  if (high !== undefined) return `${kind} ${below === undefined ? 'of at most' : 'below'} ${high}`;
  return kind;
}

/**
 * Whether a value is a number of the rule.
 *
 * @param value - anything.
 * @param rule - the bounds.
 * @returns false for what is no number, NaN and infinities, too.
 * @example
 * ```ts
 * import { obeys } from '@tfjs-ssl/checks';
 *
 * console.log(obeys(0.5, { min: 0, max: 1 }), obeys('0.5', {})); // true false
 * ```
 */
export function obeys(value: unknown, { above, min, max, below, integer }: NumberRule): value is number {
  if (typeof value !== 'number' || !Number.isFinite(value)) return false;
  if ((above !== undefined && value <= above) || (min !== undefined && value < min)) return false;
  if ((below !== undefined && value >= below) || (max !== undefined && value > max)) return false;
  return !integer || Number.isInteger(value);
}

/**
 * Throws unless a value is a number of the rule.
 *
 * @param fn - the function that was called.
 * @param argument - the name of the argument.
 * @param value - what came.
 * @param rule - what it must be.
 * @param advice - what to do.
 * @throws RangeError with the fields of `ArgumentFault`.
 * @example
 * ```ts
 * import { checkNumber } from '@tfjs-ssl/checks';
 *
 * checkNumber('crop', 'size', 32, { min: 1, integer: true }, 'It is in pixels.');
 * ```
 */
export function checkNumber(
  fn: string,
  argument: string,
  value: unknown,
  rule: NumberRule,
  advice: string,
): asserts value is number {
  if (obeys(value, rule)) return;
  throw argumentError({ fn, argument, required: `be ${describeRule(rule)}`, got: value, advice });
}
