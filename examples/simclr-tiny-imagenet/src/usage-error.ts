import type { ArgumentError } from '@tfjs-ssl/checks';

/** A mistake in how the program was called. The program ends with exit code 2 and this message, without a stack. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** How the command line says what a function of the library says of an argument. */
export interface Wording {
  /** What the user wrote: a flag, or a setting. */
  readonly name: string;
  /** Default: that of the error. */
  readonly required?: string;
  /** Default: that of the error. */
  readonly advice?: string;
  /** Whether it is a failure (a file that cannot be read) even if the function takes it for a mistake. Default: false. */
  readonly isFailure?: boolean;
}

/**
 * Says an error of an argument in the words of the command line.
 *
 * @returns a UsageError or, for a failure (a damaged file, a full disk), an Error.
 */
export function inWordsOf(error: ArgumentError, wording: Wording): Error {
  const { shown, cause } = error;
  const { name, required = error.required, advice = error.advice, isFailure = false } = wording;
  const isMistake = !isFailure && ['RangeError', 'TypeError'].includes(error.name);
  const message = `${name} must ${required}, got ${shown}. ${advice}`;
  return isMistake ? new UsageError(message) : new Error(message, { cause });
}

/** A name in camel case as a flag has it: `batchSize` is `batch-size`. */
export const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
