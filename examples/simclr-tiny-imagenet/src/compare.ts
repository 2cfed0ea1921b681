import { basename } from 'node:path';
import { configDifferences, RunFolder } from '@tfjs-ssl/trainer';
import { formatDuration } from './progress.ts';
import { readRunConfig, readSummary, settingsOf } from './run.ts';
import { flatten } from './settings/table.ts';
import { trainingSeconds } from './summary.ts';
import { UsageError } from './usage-error.ts';

/** Epochs that are listed at most. */
const mostEpochs = 12;

type Row = readonly [name: string, ...values: string[]];

/**
 * Runs side by side: the settings that differ, the mean losses of epochs, and what the evaluations gave.
 *
 * @param folders - run folders, at least two; a run may be unfinished.
 * @returns the lines of a table.
 * @throws UsageError if there are fewer, or a folder holds no run.
 */
export async function compareLines(folders: readonly string[]): Promise<string[]> {
  if (folders.length < 2) {
    throw new UsageError(`--compare takes at least two runs, got ${folders.join(', ')}. Name more run folders.`);
  }
  const runs = await Promise.all(folders.map(readRun));
  const labels = shortNames(folders);
  const rows: Row[] = [
    ...settingRows(runs),
    ...lossRows(runs),
    ['kNN, untrained', ...runs.map(({ summary }) => percent(summary?.knn?.before))],
    ['kNN, trained', ...runs.map(({ summary }) => percent(summary?.knn?.after))],
    ['linear probe', ...runs.map(({ summary }) => percent(summary?.evaluation?.linear.top1))],
    ['time', ...runs.map(({ summary, records }) => formatDuration(summary?.seconds ?? trainingSeconds(records)))],
  ];
  return tableLines([['', ...labels], ...rows.filter(([, ...values]) => values.some((value) => value !== absent))]);
}

const absent = '…';
const percent = (fraction: number | undefined): string =>
  fraction === undefined ? absent : `${(100 * fraction).toFixed(1)}%`;

type Run = Awaited<ReturnType<typeof readRun>>;

async function readRun(folder: string) {
  const config = await readRunConfig(folder, '--compare');
  const { records } = await RunFolder.open(folder);
  return { settings: { ...settingsOf(config), images: config.images }, records, summary: await readSummary(folder) };
}

function settingRows(runs: readonly Run[]): Row[] {
  const [first, ...others] = runs.map(({ settings }) => settings);
  const differ = new Set(others.flatMap((other) => configDifferences(first as object, other).map(({ name }) => name)));
  const flat = runs.map(({ settings }) => flatten(settings));
  return Object.keys(flat[0] as object)
    .filter((name) => differ.has(name))
    .map((name) => [name, ...flat.map((settings) => show(settings[name]))]);
}

const show = (value: unknown): string => (Array.isArray(value) ? value.join(',') || '[]' : String(value));

/** Mean losses of the last epochs and of others evenly spread. */
function lossRows(runs: readonly Run[]): Row[] {
  const losses = runs.map(({ records }) => {
    const byEpoch = new Map<number, number[]>();
    for (const { epoch, loss } of records) {
      const values = byEpoch.get(epoch);
      if (values) values.push(loss);
      else byEpoch.set(epoch, [loss]);
    }
    return byEpoch;
  });
  const epochs = Math.max(0, ...losses.flatMap((byEpoch) => [...byEpoch.keys()].map((epoch) => epoch + 1)));
  const every = Math.ceil(epochs / mostEpochs);
  return Array.from({ length: epochs }, (_, epoch) => epoch)
    .filter((epoch) => (epochs - 1 - epoch) % every === 0)
    .map((epoch) => [
      `loss, epoch ${epoch + 1}`,
      ...losses.map((byEpoch) => {
        const values = byEpoch.get(epoch);
        return values ? (values.reduce((sum, loss) => sum + loss, 0) / values.length).toFixed(4) : absent;
      }),
    ]);
}

/** The names of the folders or, if two are the same, their paths. */
function shortNames(folders: readonly string[]): readonly string[] {
  const names = folders.map((folder) => basename(folder));
  return new Set(names).size === names.length ? names : folders;
}

/** Rows in columns: the first to the left, the others to the right. */
export function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] as number) : cell.padStart(widths[column] as number),
      )
      .join('  ')
      .trimEnd(),
  );
}
