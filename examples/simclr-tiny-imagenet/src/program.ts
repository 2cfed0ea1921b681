import type { Output } from './progress.ts';
import { UsageError } from './usage-error.ts';

/** Exit codes, as a shell sees them. */
export const exitCode = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/** What the program talks to. */
export interface Streams {
  readonly stdout: Output;
  readonly stderr: Output;
}

/** Whether a message already says what its cause does: in its words, or by the code of the system's error. */
function tells(message: string, cause: NodeJS.ErrnoException): boolean {
  return message.includes(cause.message) || (cause.code !== undefined && message.includes(`(${cause.code})`));
}

/**
 * Prints why a program failed: one message, with a stack only if `DEBUG` is set.
 *
 * @returns the exit code.
 */
export function reportFailure(error: unknown, { stdout, stderr }: Streams, signal: AbortSignal): number {
  const failure = error as Error;
  if (signal.aborted && (failure === signal.reason || failure.name === 'AbortError')) return exitCode.interrupted;
  const cause =
    failure.cause instanceof Error && !tells(failure.message, failure.cause) ? ` (${failure.cause.message})` : '';
  stderr.write(`${stdout.isTTY ? '\n' : ''}${process.env.DEBUG ? failure.stack : failure.message + cause}\n`);
  return failure instanceof UsageError ? exitCode.usage : exitCode.failed;
}

/** Arguments, streams and a signal that ends it, to an exit code. */
export type Program = (args: readonly string[], streams: Streams, signal: AbortSignal) => Promise<number>;

/** Runs a program in this process. Ctrl-C ends it after the current step, with a checkpoint. A second one ends it at once. */
export async function runProgram(program: Program): Promise<void> {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(exitCode.interrupted);
    controller.abort();
    process.stderr.write(
      '\nStopping. A training run finishes its step and writes a checkpoint first. Press Ctrl-C again to stop at once.\n',
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);

  // The reader has gone (`| head`, a closed terminal). Nothing more can be printed, but the steps can be saved.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => controller.abort());

  process.exitCode = await program(process.argv.slice(2), process, controller.signal);
}
