import { color } from './render.ts';

/** A fraction with what it is of. */
export interface Bar {
  readonly label: string;
  /** From 0 to 1. */
  readonly value: number;
}

/** Fractions as horizontal bars with their values, and what chance would give as a dashed line. */
export function barsChart(bars: readonly Bar[], chance: number): object {
  const y = { field: 'label', type: 'nominal', sort: null, title: null, axis: { domain: false, labelLimit: 160 } };
  const top = Math.max(chance, ...bars.map(({ value }) => value));
  const x = {
    field: 'value',
    type: 'quantitative',
    title: null,
    scale: { domain: [0, Math.min(1.15, 1.2 * top)], nice: false },
    axis: { format: '.0%', tickCount: 5, grid: true },
  };
  const rule = { values: [{ value: chance, label: 'chance' }] };
  return {
    layer: [
      {
        data: { values: bars },
        mark: { type: 'bar', fill: color.series[0], height: 40 },
        encoding: { x, y },
      },
      {
        data: { values: bars },
        mark: { type: 'text', align: 'left', dx: 6, fill: color.ink, fontSize: 13, fontWeight: 'bold' },
        encoding: { x, y, text: { field: 'value', format: '.1%' } },
      },
      { data: rule, mark: { type: 'rule', stroke: color.label, strokeDash: [4, 4] }, encoding: { x } },
      {
        data: rule,
        mark: { type: 'text', align: 'left', baseline: 'top', dx: 4 },
        encoding: { x, y: { value: 0 }, text: { field: 'label' } },
      },
    ],
  };
}
