/**
 * A training has diverged: a loss, or a value that an update left, is not finite. From the same checkpoint it diverges again; any other error of a
 * training (a full disk, a lost device) may pass.
 *
 * @example
 * ```ts
 * import { DivergenceError } from '@tfjs-ssl/trainer';
 *
 * async function outcome(train: () => Promise<void>): Promise<string> {
 *   try {
 *     await train();
 *     return 'done';
 *   } catch (error) {
 *     if (error instanceof DivergenceError) return error.reason;
 *     throw error;
 *   }
 * }
 * console.log(await outcome(async () => {}));
 * ```
 */
export class DivergenceError extends Error {
  /** What is not finite and the likely cause: the message without what to do with the state. */
  readonly reason: string;

  /**
   * @param reason - what is not finite and the likely cause.
   * @param advice - what to do with the state.
   */
  constructor(reason: string, advice: string) {
    super(`${reason} ${advice}`);
    this.reason = reason;
  }
}
