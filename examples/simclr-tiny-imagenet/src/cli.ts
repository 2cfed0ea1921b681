import { compareLines } from './compare.ts';
import { runEvaluation } from './evaluate-run.ts';
import { runExperiment } from './experiment.ts';
import { helpText } from './help.ts';
import { parseOptions } from './options.ts';
import type { Output } from './progress.ts';
import { remakeReport } from './report.ts';
import { settingsHelp } from './settings/help.ts';
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
 * The program: runs the experiment that the arguments ask for and tells how it went.
 *
 * @param args - command-line arguments, without the program's name.
 * @param signal - ends the run after the step in progress.
 * @returns the exit code. Failures are printed as one message, with a stack only where `DEBUG` is set.
 */
export async function cli(args: readonly string[], { stdout, stderr }: Streams, signal: AbortSignal): Promise<number> {
  try {
    const parsed = parseOptions(args);
    if (parsed === 'help' || parsed === 'help settings') {
      stdout.write(`${parsed === 'help' ? helpText() : settingsHelp()}\n`);
      return exitCode.done;
    }
    if (parsed.options.compare !== undefined) {
      for (const line of await compareLines(parsed.options.compare)) stdout.write(`${line}\n`);
      return exitCode.done;
    }
    if (parsed.options.report !== undefined) {
      stdout.write(`${await remakeReport(parsed.options.report)}\n`);
      return exitCode.done;
    }
    if (parsed.options.evaluate !== undefined) {
      await runEvaluation(parsed, stdout, signal);
      return exitCode.done;
    }
    return exitCode[await runExperiment(parsed, stdout, signal)];
  } catch (error) {
    const failure = error as Error;
    if (signal.aborted && (failure === signal.reason || failure.name === 'AbortError')) return exitCode.interrupted;
    const cause =
      failure.cause instanceof Error && !tells(failure.message, failure.cause) ? ` (${failure.cause.message})` : '';
    stderr.write(`${stdout.isTTY ? '\n' : ''}${process.env.DEBUG ? failure.stack : failure.message + cause}\n`);
    return failure instanceof UsageError ? exitCode.usage : exitCode.failed;
  }
}
