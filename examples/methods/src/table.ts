import { readFileSync } from 'node:fs';
import type { Measured } from './measure.ts';

/** Quantiles 0.975 of Student's distribution, by degrees of freedom from 1. */
const students = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

/** Mean and half of the 95 % interval of few values; the half is null for one value. */
export function interval(values: readonly number[]): { mean: number; half: number | null } {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n < 2) return { mean, half: null };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  return { mean, half: (students[n - 2] ?? 1.96) * Math.sqrt(variance / n) };
}

/** Lines of a method's file that are neither blank nor a comment alone; null for what has no file. */
export function linesOf(method: string): number | null {
  const file = new URL(`../src/${method}.ts`, import.meta.url);
  if (method === 'untrained') return null;
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => !/^\s*(\/\/.*)?$/.test(line)).length;
}

const percent = (values: readonly number[]): string => {
  const { mean, half } = interval(values);
  return half === null ? `${(100 * mean).toFixed(1)}` : `${(100 * mean).toFixed(1)} ± ${(100 * half).toFixed(1)}`;
};

/** Lines of lightly's example of the same method, counted alike; null for what it has no example of. */
function lightlyLinesOf(method: string): number | null {
  const { methods } = JSON.parse(readFileSync(new URL('../lightly-lines.json', import.meta.url), 'utf8'));
  return methods[method] ?? null;
}

/** What a table says of each method. */
export const columns = [
  'method',
  'kNN, %',
  'linear, %',
  'effective rank',
  'seconds',
  'ms a step',
  'memory, MB',
  'lines',
  "lightly's lines",
] as const;

/** A row for each method, over all its seeds. */
export function cellsOf(runs: readonly Measured[]): string[][] {
  return [...new Set(runs.map(({ method }) => method))].map((method) => {
    const own = runs.filter((run) => run.method === method);
    const mean = (value: (run: Measured) => number): number => interval(own.map(value)).mean;
    const trained = own.every(({ steps }) => steps > 0);
    return [
      method,
      percent(own.map(({ knn }) => knn)),
      percent(own.map(({ linear }) => linear)),
      mean(({ effectiveRank }) => effectiveRank).toFixed(1),
      trained ? mean(({ seconds }) => seconds).toFixed(0) : '',
      trained ? mean(({ seconds, steps }) => (1000 * seconds) / steps).toFixed(0) : '',
      mean(({ megabytes }) => megabytes).toFixed(0),
      `${linesOf(method) ?? ''}`,
      `${lightlyLinesOf(method) ?? ''}`,
    ];
  });
}

/** A Markdown table. */
export function markdown(header: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header), line(['---', ...header.slice(1).map(() => '--:')]), ...rows.map(line), ''].join('\n');
}
