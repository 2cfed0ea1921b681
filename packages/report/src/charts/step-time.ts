import type { EpochMeans } from '../epochs.ts';
import { mean } from '../series.ts';
import { color, type Size } from './render.ts';

/** The parts of a step in the order of the legend, bottom first. */
export const stepParts = ['step', 'prepare', 'load'] as const;

/** Bars that are drawn at most. */
const mostBars = 100;

/** Shows where the time of a step goes: one bar per epoch, or per several epochs if there are many, in milliseconds of the mean step. */
export function stepTimeChart(epochs: readonly EpochMeans[], { width }: Size): object {
  const perBar = Math.ceil(epochs.length / mostBars);
  const bars = Array.from({ length: Math.ceil(epochs.length / perBar) }, (_, i) =>
    epochs.slice(i * perBar, (i + 1) * perBar),
  );
  const values = bars.flatMap((bar) => {
    const [from, to] = [(bar[0] as EpochMeans).epoch, (bar.at(-1) as EpochMeans).epoch + 1];
    const margin = 0.08 * (to - from);
    return stepParts.map((part, order) => {
      const milliseconds = 1000 * mean(bar.map(({ seconds }) => seconds[part]));
      return { from: from + margin, to: to - margin, part, order, milliseconds };
    });
  });
  return {
    data: { values },
    mark: { type: 'rect' },
    transform: [{ stack: 'milliseconds', groupby: ['from'], sort: [{ field: 'order' }], as: ['low', 'high'] }],
    encoding: {
      x: {
        field: 'from',
        type: 'quantitative',
        title: 'epoch',
        scale: { domain: [0, Math.max(1, ...epochs.map(({ epoch }) => epoch + 1))], nice: false },
        axis: { tickCount: Math.round(width / 90), format: '~r' },
      },
      x2: { field: 'to' },
      y: {
        field: 'low',
        type: 'quantitative',
        title: null,
        axis: { format: ',~r', tickCount: 5, labelExpr: "datum.label + ' ms'" },
      },
      y2: { field: 'high' },
      fill: {
        field: 'part',
        type: 'nominal',
        legend: null,
        scale: { domain: [...stepParts], range: [...color.series] },
      },
    },
  };
}
