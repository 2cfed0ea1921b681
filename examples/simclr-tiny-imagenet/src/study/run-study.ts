import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FileLock, writeFilesAtomically } from '@tfjs-ssl/files';
import { configDifferences, DivergenceError, formatDifferences } from '@tfjs-ssl/trainer';
import { tableLines } from '../compare.ts';
import { chosenImages, type Data, dataNames } from '../data.ts';
import { runEvaluation } from '../evaluate-run.ts';
import { runExperiment } from '../experiment.ts';
import type { ParsedOptions } from '../options.ts';
import type { OptionName } from '../options-table.ts';
import { formatDuration, type Output } from '../progress.ts';
import type { Job } from '../ranks/job.ts';
import { type Environment, readRunConfig, readSummary, settingsOf } from '../run.ts';
import { UsageError } from '../usage-error.ts';
import { failureOf, saveFailure } from './failure.ts';
import type { Plan, PlannedRun } from './plan.ts';
import { type RunResult, resultOf, type StudyResults, summarizeStudy } from './results.ts';
import { studyPage } from './study-page.ts';
import { cellTable, effectTable, estimatesCsv, runsCsv } from './text-tables.ts';

/** What a study is run with. */
export interface StudyCall {
  readonly plan: Plan;
  /** The folder of the study; one that holds a part of it is gone on with. */
  readonly folder: string;
  /** Engine, images and the like, for every run. */
  readonly parsed: ParsedOptions;
  /** The command, for the page. */
  readonly command: string;
  readonly job: Job;
}

/**
 * Runs what is left of a study, run by run, and writes its tables and its page.
 *
 * @param output - where text goes.
 * @param signal - ends the study after the step in progress, with a checkpoint.
 * @returns what all runs gave; null if it was interrupted.
 * @throws UsageError if the folder holds runs with other settings.
 */
export async function runStudy(call: StudyCall, output: Output, signal: AbortSignal): Promise<StudyResults | null> {
  const { plan, folder } = call;
  const print = (line: string) => void output.write(`${line}\n`);
  const { name, path } = await chosenImages(call.parsed.options);
  const images = nameOfImages(name, path);
  await mkdir(folder, { recursive: true });
  const lock = await FileLock.take(join(folder, 'study.lock'), `study: the one in ${folder}`);
  try {
    const states: RunState[] = [];
    for (const run of plan.runs) states.push(await stateOf(call, run, images)); // in turn: the first run that differs is the one named
    const done = states.filter((state) => state !== 'to do').length;
    const seeds = `${plan.seeds.length} ${plan.seeds.length === 1 ? 'seed' : 'seeds'}`;
    print(`${plan.title}: ${plan.cells.length} cells, ${seeds}, ${plan.runs.length} runs in ${folder}`);
    if (done > 0) print(`${done} of them were done before.`);
    const pace = new Pace(plan.runs.length - done);
    for (const [i, run] of plan.runs.entries()) {
      if (states[i] !== 'to do') continue;
      const where = `[${i + 1}/${plan.runs.length}] ${run.cell.name}, seed ${run.seed}`;
      if (!(await finish(call, run, output, signal))) {
        print(`Stopped at ${where}. Nothing is lost; the same command goes on.`);
        return null;
      }
      print(`${where}: ${await outcomeOf(call, run, dataNames[name])}${pace.next()}`);
      await writeResults(call, await collect(call, images));
    }
    const results = await collect(call, images);
    await writeResults(call, results);
    for (const { cell, seed, reason } of results.failed) print(`Failed: ${cell}, seed ${seed}: ${reason}`);
    for (const table of [cellTable(results), effectTable(results)]) {
      print('');
      for (const line of tableLines(table)) print(line);
    }
    print(`\nSaved in ${folder}: study.html (open it in a browser), study.json, estimates.csv, runs.csv, runs/`);
    return results;
  } finally {
    await lock.release();
  }
}

const pathOf = ({ folder }: StudyCall, run: PlannedRun): string => join(folder, 'runs', run.folder);

type RunState = 'to do' | 'done' | 'failed';

/** The images of a run in a word; a folder of images by its path. */
const nameOfImages = (name: Data['name'], path: string | null | undefined): string =>
  name === 'folder' ? (path ?? name) : name;

/**
 * Whether a run is still to do.
 *
 * @param images - those of this call.
 * @throws UsageError if its folder holds a run with other settings or images.
 */
async function stateOf(call: StudyCall, run: PlannedRun, images: string): Promise<RunState> {
  const path = pathOf(call, run);
  if (!existsSync(join(path, 'config.json'))) return 'to do';
  const config = await readRunConfig(path, 'study');
  const { classes, imagesPerClass } = config;
  // a folder of images has the classes and images that it has
  const planned = config.images.data === 'folder' ? { ...run.settings, classes, imagesPerClass } : run.settings;
  const begun = nameOfImages(config.images.data, config.options.data);
  const differences = configDifferences({ ...settingsOf(config), images: begun }, { ...planned, images });
  if (differences.length > 0) {
    throw new UsageError(
      `The study in ${call.folder} was begun with other settings, got differences in ${run.folder}:\n` +
        `${formatDifferences(differences)}\nUse the same file and options, or name another folder: --out FOLDER`,
    );
  }
  if ((await failureOf(path)) !== null) return 'failed';
  const summary = await readSummary(path);
  const isEvaluated = !call.plan.evaluate || summary?.evaluation !== undefined;
  return summary?.knn?.after !== undefined && isEvaluated ? 'done' : 'to do';
}

/**
 * Trains a run to its end, from where an earlier call has left it, and evaluates it.
 *
 * @returns false if it was interrupted.
 */
async function finish(call: StudyCall, run: PlannedRun, output: Output, signal: AbortSignal): Promise<boolean> {
  const path = pathOf(call, run);
  const quiet = onlyProgress(output);
  const ask = (name: 'out' | 'resume' | 'evaluate', settings: ParsedOptions['settings']): ParsedOptions => ({
    options: { ...call.parsed.options, [name]: path },
    given: new Set<OptionName>([...call.parsed.given, name]),
    settings,
  });
  try {
    const isBegun = existsSync(join(path, 'config.json'));
    const trains = (await readSummary(path))?.knn?.after === undefined;
    if (trains) {
      const parsed = isBegun ? ask('resume', {}) : ask('out', { ...run.cell.given, seed: run.seed });
      if ((await runExperiment(parsed, quiet, signal, call.job)) === 'interrupted') return false;
    }
    if (call.plan.evaluate) await runEvaluation(ask('evaluate', {}), quiet, signal);
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    if (!(error instanceof DivergenceError)) throw error; // a full disk or missing images may be mended
    await saveFailure(path, error.reason);
    return true;
  }
}

/** Of the text of a run only the live line, if somebody watches. */
function onlyProgress(output: Output): Output {
  return {
    ...(output.isTTY !== undefined && { isTTY: output.isTTY }),
    ...(output.columns !== undefined && { columns: output.columns }),
    write: (text) => (text.startsWith('\r') ? output.write(text) : true),
  };
}

/** What a run gave, in a line. */
async function outcomeOf(call: StudyCall, run: PlannedRun, images: string): Promise<string> {
  const reason = await failureOf(pathOf(call, run));
  if (reason !== null) return `diverged: ${reason}`;
  const { knn, loss, evaluation } = (await readSummary(pathOf(call, run))) ?? {};
  const percent = (share: number | undefined) => `${(100 * (share ?? Number.NaN)).toFixed(1)} %`;
  const linear = evaluation ? `, linear ${percent(evaluation.linear.top1)}` : '';
  return `kNN ${percent(knn?.after)}${linear} on ${images}, loss ${loss?.last.toFixed(3)}`;
}

/** The results of all runs that have ended. */
async function collect(call: StudyCall, images: string): Promise<StudyResults> {
  const runs: RunResult[] = [];
  const failed: Array<StudyResults['failed'][number]> = [];
  for (const run of call.plan.runs) {
    const state = await stateOf(call, run, images);
    if (state === 'to do') continue;
    const [path, cell] = [pathOf(call, run), run.cell.name];
    if (state === 'failed') failed.push({ cell, seed: run.seed, reason: (await failureOf(path)) ?? '' });
    else runs.push(resultOf(cell, run.seed, (await readSummary(path)) ?? {}));
  }
  return summarizeStudy(call.plan, runs, failed);
}

/** Writes the tables and the page of what there is so far. */
async function writeResults(call: StudyCall, results: StudyResults): Promise<void> {
  const { folder, plan, command } = call;
  const path = (name: string) => join(folder, name);
  const page = await studyPage(results, plan, await environmentOf(call), command);
  await writeFilesAtomically([
    { path: path('study.json'), data: `${JSON.stringify(results, null, 2)}\n` },
    { path: path('estimates.csv'), data: estimatesCsv(results) },
    { path: path('runs.csv'), data: runsCsv(results) },
    { path: path('study.html'), data: page },
  ]);
}

/** Device and versions of the first run. */
async function environmentOf(call: StudyCall): Promise<Environment> {
  const first = call.plan.runs.map((run) => pathOf(call, run)).find((path) => existsSync(join(path, 'config.json')));
  return first === undefined ? {} : (await readRunConfig(first, 'study')).environment;
}

/** The time that the runs left will take, by the mean of those of this call. */
class Pace {
  readonly #start = performance.now();
  #left: number;
  #done = 0;

  constructor(left: number) {
    this.#left = left;
  }

  next(): string {
    this.#left--;
    this.#done++;
    const each = (performance.now() - this.#start) / 1000 / this.#done;
    return this.#left > 0 ? ` (${formatDuration(each)} a run, ${formatDuration(each * this.#left)} left)` : '';
  }
}
