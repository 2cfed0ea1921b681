import { checkSameOnRanks } from '@tfjs-ssl/ops';
import { compareLines } from './compare.ts';
import { runEvaluation } from './evaluate-run.ts';
import { runExperiment } from './experiment.ts';
import { helpText } from './help.ts';
import { type HelpRequest, type ParsedOptions, parseOptions } from './options.ts';
import { exitCode, reportFailure, type Streams } from './program.ts';
import type { Job } from './ranks/job.ts';
import { remakeReport } from './report.ts';
import { settingsHelp } from './settings/help.ts';

/**
 * The program: runs the experiment that the arguments ask for and tells how it went.
 *
 * @param args - command-line arguments, without the program's name.
 * @param signal - ends the run after the step in progress.
 * @param job - the processes that make the run together.
 * @returns the exit code. Failures are printed as one message, with a stack only where `DEBUG` is set.
 */
export async function cli(args: readonly string[], streams: Streams, signal: AbortSignal, job: Job): Promise<number> {
  const { stdout } = streams;
  try {
    const parsed = parseOptions(args);
    checkSameCommand(parsed, job);
    if (!job.leads && !trains(parsed)) return exitCode.done;
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
    return exitCode[await runExperiment(parsed, stdout, signal, job)];
  } catch (error) {
    return reportFailure(error, streams, signal, job);
  }
}

/** Whether a call is for all ranks; the first one alone does everything else. */
const trains = (parsed: ParsedOptions | HelpRequest): boolean =>
  typeof parsed !== 'string' &&
  [parsed.options.compare, parsed.options.report, parsed.options.evaluate].every((option) => option === undefined);

/** @throws Error on all ranks if they were started with different options. */
function checkSameCommand(parsed: ParsedOptions | HelpRequest, { world }: Job): void {
  if (world.size === 1) return;
  checkSameOnRanks(
    world,
    'simclr',
    typeof parsed === 'string' ? { help: parsed } : { ...parsed.options, ...parsed.settings },
  );
}
