/** What is wrong with an argument. */
export interface ArgumentFault {
  /** The function that was called. */
  readonly fn: string;
  /** The argument or option, by its name. */
  readonly argument: string;
  /** What is required of it, as the text after "must": `'be an integer'`. */
  readonly required: string;
  /** What came. */
  readonly got: unknown;
  /** What came, as the text shows it. */
  readonly shown: string;
  /** What to do, as a sentence or two. */
  readonly advice: string;
}

/** An error of an argument, with what is wrong as fields. */
export type ArgumentError = Error & ArgumentFault;

/** What {@link argumentError} takes. */
export interface ArgumentErrorOptions extends Omit<ArgumentFault, 'shown'> {
  /** What came, as the text shows it. Default: the value itself, lists in brackets. */
  readonly shown?: string;
  /**
   * `'type'` for a value of another kind, `'range'` for one that is out of range, `'failure'` if the caller made no mistake: a damaged file, a
   * full disk. Default: `'range'`.
   */
  readonly kind?: 'range' | 'type' | 'failure';
  /** The error that led to this one. Default: none. */
  readonly cause?: unknown;
}

/**
 * An error of an argument in the form of the whole library: `fn: argument must ..., got .... What to do.`
 *
 * @param options - see {@link ArgumentErrorOptions}.
 * @returns a RangeError, a TypeError or an Error, with the fields of {@link ArgumentFault}; throw it.
 * @example
 * ```ts
 * import { argumentError } from '@tfjs-ssl/checks';
 *
 * const fault = { fn: 'grow', argument: 'by', required: 'be above 0', got: -1, advice: 'Pass 1.' };
 * console.log(argumentError(fault).message); // grow: by must be above 0, got -1. Pass 1.
 * ```
 */
export function argumentError(options: ArgumentErrorOptions): ArgumentError {
  const { fn, argument, required, got, advice, shown = showValue(got), kind = 'range', cause } = options;
  const end = shown.includes('\n') ? '\n' : '. '; // a list of several lines ends with a line
  const message = `${fn}: ${argument} must ${required}, got ${shown}${end}${advice}`;
  const Kind = { range: RangeError, type: TypeError, failure: Error }[kind];
  const error = new Kind(message, cause === undefined ? {} : { cause });
  return Object.assign(error, { fn, argument, required, got, shown, advice });
}

/**
 * Whether an error is one of {@link argumentError}, so that a program can say it in words of its own: with the name of a flag, say.
 *
 * @param error - what was caught.
 * @returns whether it has the fields.
 * @example
 * ```ts
 * import { isArgumentError } from '@tfjs-ssl/checks';
 * import { randomSolarize } from '@tfjs-ssl/augmentations';
 *
 * try {
 *   randomSolarize({ threshold: 128 });
 * } catch (error) {
 *   if (isArgumentError(error)) console.log(error.fn, error.argument);
 * }
 * ```
 */
export function isArgumentError(error: unknown): error is ArgumentError {
  return error instanceof Error && 'fn' in error && 'argument' in error && 'required' in error;
}

/**
 * Formats a value for an error text: short, and so that a function, an object and a number differ.
 *
 * @param value - anything.
 * @returns for example `'a'` in quotes, `[1, 2]`, `a function`, `an object (Map)`; at most eight elements of a list.
 */
export function showValue(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    const list = [...(value as ArrayLike<unknown> & Iterable<unknown>)];
    return `[${list.slice(0, 8).map(String).join(', ')}${list.length > 8 ? ', ...' : ''}]`;
  }
  if (typeof value === 'object' && value !== null) return `an object (${value.constructor?.name ?? 'Object'})`;
  return String(value);
}

/**
 * Formats a tensor for an error text by its dtype and shape.
 *
 * @param tensor - a tensor of TensorFlow.js, or anything with a dtype and a shape.
 * @returns for example `float32 of shape [2, 3]`.
 */
export function showTensor({ dtype, shape }: { readonly dtype: string; readonly shape: readonly number[] }): string {
  return `${dtype} of shape ${showValue(shape)}`;
}

/**
 * Formats the kind of a value for an error text, when the value itself says nothing.
 *
 * @param value - anything.
 * @returns for example `Float32Array`, `Array`, `Number`, `undefined`, `null`.
 */
export function showKind(value: unknown): string {
  return value === undefined || value === null ? String(value) : Object.prototype.toString.call(value).slice(8, -1);
}
