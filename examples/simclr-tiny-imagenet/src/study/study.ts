import { join } from 'node:path';
import { parseOptions } from '../options.ts';
import type { OptionName } from '../options-table.ts';
import { exitCode, reportFailure, type Streams } from '../program.ts';
import type { Job } from '../ranks/job.ts';
import { kebab, UsageError } from '../usage-error.ts';
import { planStudy } from './plan.ts';
import { runStudy } from './run-study.ts';
import { readStudy } from './study-file.ts';

/** Options that a study hands to its runs. */
const taken: ReadonlySet<OptionName> = new Set([
  'engine',
  'threads',
  'requireGpu',
  'data',
  'cache',
  'skipCorrupt',
  'checkpointEvery',
  'out',
] as const);

const help = [
  'Runs a study: each combination of settings with several seeds, and prints means, intervals and effects.',
  '',
  'Usage: npm run study -- FILE.json [OPTIONS]      or, for a study that comes with the example:',
  '       npm run study -- ablation|recipe [OPTIONS]',
  '',
  '  --scale quick|full      Size of the runs [default: quick]',
  '  --out FOLDER            Folder of the study [default: studies/NAME-SCALE]',
  '  --set NAME=VALUE        Changes a setting of all runs, as do --epochs, --classes and the like',
  '  --engine, --threads, --require-gpu, --data, --cache, --skip-corrupt, --checkpoint-every',
  '                          As for npm run simclr, for every run',
  '  --help                  Show this text',
  '',
  'Ctrl-C finishes the current step, writes a checkpoint and stops. The same command goes on, after a kill too,',
  'and ends with the same table.',
].join('\n');

/**
 * The program `npm run study`.
 *
 * @param args - command-line arguments, without the program's name.
 * @param signal - ends the study after the step in progress.
 * @param job - of one process.
 * @returns the exit code.
 */
export async function study(args: readonly string[], streams: Streams, signal: AbortSignal, job: Job): Promise<number> {
  const { stdout } = streams;
  try {
    if (job.world.size > 1) {
      throw new UsageError(
        `A study runs in one process, got ${job.world.size} ranks. Start it without the launcher, or one run with it: npm run simclr`,
      );
    }
    const [path, ...rest] = args;
    if (path === undefined || path === '--help' || path === '-h' || rest.includes('--help')) {
      stdout.write(`${help}\n`);
      return path === undefined ? exitCode.usage : exitCode.done;
    }
    if (path.startsWith('-'))
      throw new UsageError(`The study comes first, got ${path}. Run with --help for an example.`);
    const parsed = parseOptions(rest);
    if (typeof parsed === 'string') throw new UsageError('A study takes a file. Run with --help for an example.');
    const strangers = [...parsed.given].filter((name) => !taken.has(name)).map((name) => `--${kebab(name)}`);
    if (strangers.length > 0) {
      throw new UsageError(`A study does not take ${strangers.join(', ')}. Run with --help for what it takes.`);
    }
    const { seed, ...settings } = parsed.settings;
    if (seed !== undefined) throw new UsageError('The seeds of a study are in its file. Leave --seed out.');
    const file = readStudy(path);
    const plan = planStudy(file, settings);
    const folder = parsed.options.out ?? join('studies', `${file.name}-${plan.cells[0]?.settings.scale}`);
    const forRuns = new Set([...parsed.given].filter((name) => name !== 'out'));
    const command = `npm run study -- ${args.join(' ')}`;
    const call = { plan, folder, parsed: { ...parsed, given: forRuns }, command, job };
    const results = await runStudy(call, stdout, signal);
    if (results === null) return exitCode.interrupted;
    return results.failed.length > 0 ? exitCode.failed : exitCode.done;
  } catch (error) {
    return reportFailure(error, streams, signal, job);
  }
}
