import { type Point, runningMean, thinOut } from '../series.ts';
import { color, type Size } from './render.ts';

/** A quantity over the steps of a run. */
export interface Curve {
  /** Of every step. */
  readonly points: readonly Point[];
  /** Draws a running mean bold over the light steps. Default: true. */
  readonly smooth?: boolean;
  /** Drawn as dots. Default: none. */
  readonly means?: readonly Point[];
}

/** Options of {@link curvesChart}. */
export interface CurvesOptions {
  /** How labels of the vertical axis look, as d3-format has it; `'.0%'` for example. */
  readonly format: string;
  /** Begins the vertical axis at zero. Default: false. */
  readonly zero?: boolean;
  /** A value to compare with: a dashed line. */
  readonly reference?: { readonly label: string; readonly value: number } | undefined;
}

/** Epoch means beyond this many would be a line of dots. */
const mostDots = 60;

/** Curves over epochs: single steps light, running means bold, means of epochs as dots. */
export function curvesChart(
  curves: readonly Curve[],
  size: Size,
  { format, zero = false, reference }: CurvesOptions,
): object {
  const end = Math.max(0, ...curves.map(({ points }) => points.at(-1)?.x ?? 0));
  const empty = end === 0;
  const x = {
    field: 'x',
    type: 'quantitative',
    title: 'epoch',
    scale: { domain: [0, empty ? 1 : end], nice: false },
    axis: { tickCount: Math.round(size.width / 90), format: '~r' },
  };
  const y = {
    field: 'y',
    type: 'quantitative',
    title: null,
    scale: empty ? { domain: [0, 1] } : { zero, nice: true },
    axis: { format, tickCount: 5 },
  };
  const layers = curves.flatMap((curve, i) => layersOf(curve, color.series[i] as string, size, { x, y }));
  return { layer: [...layers, ...(reference ? referenceLayers(reference, y) : [])] };
}

function layersOf(
  { points, smooth = true, means = [] }: Curve,
  stroke: string,
  { width }: Size,
  encoding: { readonly x: object; readonly y: object },
): object[] {
  const finite = points.filter(({ y }) => Number.isFinite(y));
  const line = (values: readonly Point[], style: object) => ({
    data: { values },
    mark: { type: 'line', stroke, ...style },
    encoding,
  });
  const columns = Math.round(width / 2);
  if (!smooth) return [line(thinOut(finite, columns), { strokeWidth: 2, strokeJoin: 'round' })];
  const bold = runningMean(finite, Math.ceil(finite.length / 60));
  const every = Math.ceil(bold.length / columns);
  const dots = means.length <= mostDots ? means : [];
  return [
    line(thinOut(finite, columns), { strokeWidth: 1, strokeOpacity: 0.3 }),
    line(
      bold.filter((_, i) => i % every === 0 || i === bold.length - 1),
      { strokeWidth: 2, strokeJoin: 'round' },
    ),
    {
      data: { values: dots },
      mark: {
        type: 'point',
        filled: true,
        fill: stroke,
        stroke: color.surface,
        strokeWidth: 1.5,
        size: 45,
        opacity: 1,
      },
      encoding,
    },
  ];
}

function referenceLayers({ label, value }: { readonly label: string; readonly value: number }, y: object): object[] {
  const data = { values: [{ y: value, label }] };
  return [
    { data, mark: { type: 'rule', stroke: color.label, strokeDash: [4, 4], strokeWidth: 1 }, encoding: { y } },
    {
      data,
      mark: { type: 'text', align: 'right', baseline: 'bottom', dy: -4 },
      encoding: { y, x: { value: 'width' }, text: { field: 'label' } },
    },
  ];
}
