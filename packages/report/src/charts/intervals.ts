import { color } from './render.ts';

/** A mean with its interval. */
export interface IntervalRow {
  readonly label: string;
  readonly mean: number;
  /** Ends of the interval; both null if there is none. */
  readonly low: number | null;
  readonly high: number | null;
  /** What the mean is of; drawn light. Default: not drawn. */
  readonly values?: readonly number[];
}

/** Options of {@link intervalsChart}. */
export interface IntervalsOptions {
  /** How labels of the axis look, as d3-format has it. */
  readonly format: string;
  /** Draws a dashed line at zero and keeps it in view: for differences. Default: false. */
  readonly zero?: boolean;
}

/** Labels have a line for each part. */
const lineBreak = ', ';

/** Height of a chart with these rows, axis included. */
export function intervalsHeight(rows: readonly IntervalRow[]): number {
  const lines = Math.max(1, ...rows.map(({ label }) => label.split(lineBreak).length));
  return 44 + rows.length * Math.max(34, 8 + 14 * lines);
}

/** Means as dots with their intervals as lines, one row each, and the single values light behind them. */
export function intervalsChart(rows: readonly IntervalRow[], { format, zero = false }: IntervalsOptions): object {
  const y = {
    field: 'label',
    type: 'nominal',
    sort: null,
    title: null,
    scale: { domain: rows.map(({ label }) => label) },
    axis: { domain: false, labelLimit: 300, labelExpr: `split(datum.label, '${lineBreak}')` },
  };
  const x = (field: string) => ({
    field,
    type: 'quantitative',
    title: null,
    scale: { zero, nice: true },
    axis: { format, tickCount: 5, grid: true },
  });
  const values = rows.flatMap(({ label, values: all = [] }) => all.map((value) => ({ label, value })));
  const withEnds = rows.filter(({ low, high }) => low !== null && high !== null);
  return {
    layer: [
      ...(zero
        ? [
            {
              data: { values: [{ zero: 0 }] },
              mark: { type: 'rule', stroke: color.label, strokeDash: [4, 4] },
              encoding: { x: x('zero') },
            },
          ]
        : []),
      {
        data: { values: withEnds },
        mark: { type: 'rule', stroke: color.series[0], strokeWidth: 2, strokeOpacity: 0.5 },
        encoding: { x: x('low'), x2: { field: 'high' }, y },
      },
      {
        data: { values },
        mark: {
          type: 'point',
          filled: true,
          fill: color.series[0],
          stroke: color.surface,
          strokeWidth: 1,
          opacity: 0.6,
          size: 45,
        },
        encoding: { x: x('value'), y },
      },
      {
        data: { values: rows },
        mark: {
          type: 'point',
          filled: true,
          fill: color.series[0],
          stroke: color.surface,
          strokeWidth: 1.5,
          size: 90,
          opacity: 1,
        },
        encoding: { x: x('mean'), y },
      },
    ],
  };
}
