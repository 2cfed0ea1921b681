import { formatDuration } from '../progress.ts';
import { type Measure, measures, type StudyResults } from './results.ts';
import type { Estimate } from './statistics.ts';

/** A table as texts; the first row is the head. */
export type TextTable = ReadonlyArray<readonly string[]>;

const absent = '…';

/** A mean with half of its interval, in percent for shares: `31.2 ± 1.4 %`. */
function withInterval(value: Estimate | undefined, measure: Measure, sign = false): string {
  if (value === undefined) return absent;
  const { isShare } = measures[measure];
  const show = (number: number) => (isShare ? (100 * number).toFixed(1) : number.toFixed(3));
  const plus = sign && value.mean >= 0 ? '+' : '';
  const half = value.high === null ? '' : ` ± ${show(value.high - value.mean)}`;
  return `${plus}${show(value.mean)}${half}${isShare ? ' %' : ''}`;
}

function deviation(value: Estimate | undefined, measure: Measure): string {
  if (!value || value.deviation === null) return absent;
  return measures[measure].isShare ? `${(100 * value.deviation).toFixed(1)} %` : value.deviation.toFixed(3);
}

/** Each cell: means with their 95 % intervals, standard deviations, parameters and time of a run. */
export function cellTable({ cells, measures: names }: StudyResults): TextTable {
  const count = (n: number) => n.toLocaleString('en');
  return [
    ['cell', 'runs', ...names.flatMap((name) => [measures[name].title, 'SD']), 'encoder', 'head', 'time of a run'],
    ...cells.map(({ name, seeds, values, parameters, seconds }) => [
      name,
      `${seeds.length}`,
      ...names.flatMap((measure) => [withInterval(values[measure], measure), deviation(values[measure], measure)]),
      count(parameters.encoder),
      count(parameters.head),
      formatDuration(seconds.mean),
    ]),
  ];
}

/** Each level beside the reference of its factor: mean differences with their 95 % intervals. */
export function effectTable({ effects, measures: names }: StudyResults): TextTable {
  return [
    ['effect', 'pairs', ...names.map((name) => measures[name].title)],
    ...effects.map(({ factor, level, reference, values }) => [
      `${factor}: ${level} instead of ${reference}`,
      `${Math.max(0, ...Object.values(values).map((value) => value.values.length))}`,
      ...names.map((measure) => withInterval(values[measure], measure, true)),
    ]),
  ];
}

/** One line per run, with full precision. */
export function runsCsv({ runs, cells }: StudyResults): string {
  const factors = Object.keys(cells[0]?.levels ?? {});
  const names = Object.keys(measures) as Measure[];
  const levels = new Map(cells.map((cell) => [cell.name, cell.levels]));
  return toCsv([
    ['cell', ...factors, 'seed', ...names, 'encoder parameters', 'head parameters', 'seconds'],
    ...runs.map(({ cell, seed, values, parameters, seconds }) => [
      cell,
      ...factors.map((factor) => levels.get(cell)?.[factor] ?? ''),
      seed,
      ...names.map((name) => values[name] ?? ''),
      parameters.encoder,
      parameters.head,
      seconds,
    ]),
  ]);
}

/** One line per cell and measure, and one per effect and measure. */
export function estimatesCsv({ cells, effects, measures: names }: StudyResults): string {
  const line = (kind: string, name: string, measure: Measure, value: Estimate | undefined) =>
    value
      ? [
          [
            kind,
            name,
            measure,
            value.values.length,
            value.mean,
            value.deviation ?? '',
            value.low ?? '',
            value.high ?? '',
          ],
        ]
      : [];
  return toCsv([
    ['kind', 'name', 'measure', 'n', 'mean', 'standard deviation', 'low', 'high'],
    ...cells.flatMap(({ name, values }) => names.flatMap((measure) => line('cell', name, measure, values[measure]))),
    ...effects.flatMap(({ factor, level, reference, values }) =>
      names.flatMap((measure) =>
        line('effect', `${factor}: ${level} instead of ${reference}`, measure, values[measure]),
      ),
    ),
  ]);
}

function toCsv(rows: ReadonlyArray<ReadonlyArray<string | number>>): string {
  const cell = (value: string | number) =>
    /[",\n]/.test(`${value}`) ? `"${`${value}`.replaceAll('"', '""')}"` : `${value}`;
  return `${rows.map((row) => row.map(cell).join(',')).join('\n')}\n`;
}
