import type { Output } from './progress.ts';
import { endJob, type Job, openJob } from './ranks/job.ts';
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
 * Prints why a program failed: one message, with a stack only if `DEBUG` is set. Of several ranks, ends all.
 *
 * @returns the exit code.
 */
export async function reportFailure(
  error: unknown,
  { stdout, stderr }: Streams,
  signal: AbortSignal,
  job: Job,
): Promise<number> {
  const failure = error as Error;
  const isStopped = signal.aborted && (failure === signal.reason || failure.name === 'AbortError');
  const cause =
    failure.cause instanceof Error && !tells(failure.message, failure.cause) ? ` (${failure.cause.message})` : '';
  const text = isStopped ? 'Stopped.' : process.env.DEBUG ? `${failure.stack}` : failure.message + cause;
  const code = isStopped ? exitCode.interrupted : failure instanceof UsageError ? exitCode.usage : exitCode.failed;
  if (job.world.size > 1) return endJob(job, text, code);
  if (!isStopped) stderr.write(`${stdout.isTTY ? '\n' : ''}${text}\n`);
  return code;
}

/**
 * Milliseconds in which a second signal is the same request: a terminal, a launcher or a scheduler gives a signal to all processes of a rank, and
 * npm passes its own on.
 */
const echo = 500;

/** Arguments, streams, a signal that ends it and the job that it is a rank of, to an exit code. */
export type Program = (args: readonly string[], streams: Streams, signal: AbortSignal, job: Job) => Promise<number>;

/** What a rank prints on: the first one's lines go through the launcher, which may show it a terminal of no width (Open MPI). */
const outputOf = ({ world, leads }: Job, stdout: NodeJS.WriteStream): Output => {
  if (world.size === 1) return stdout;
  return { write: (text) => leads && stdout.write(text) };
};

/**
 * Runs a program in this process, alone or as a rank of an MPI job, of which the first rank prints. Ctrl-C ends it after the current step, with a
 * checkpoint. A second one ends it at once.
 */
export async function runProgram(program: Program): Promise<void> {
  const job = await openJob();
  const { stdout, stderr } = process;
  const streams: Streams = { stdout: outputOf(job, stdout), stderr };
  const controller = new AbortController();
  let asked = Number.NaN;
  const stop = (): void => {
    if (performance.now() - asked < echo) return;
    if (controller.signal.aborted) process.exit(exitCode.interrupted);
    asked = performance.now();
    controller.abort();
    if (!job.leads) return;
    stderr.write(
      '\nStopping. A training run finishes its step and writes a checkpoint first. Press Ctrl-C again to stop at once.\n',
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);

  // The reader has gone (`| head`, a closed terminal). Nothing more can be printed, but the steps can be saved.
  for (const stream of [stdout, stderr]) stream.on('error', () => controller.abort());

  process.exitCode = await program(process.argv.slice(2), streams, controller.signal, job);
  await job.meet();
  job.world.finalize();
}
