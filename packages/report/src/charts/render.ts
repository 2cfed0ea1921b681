import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { Html } from '../html.ts';

/** Colours by what they are for: custom properties of the page, which has a light and a dark value of each. */
export const color = {
  series: ['var(--series-1)', 'var(--series-2)', 'var(--series-3)'],
  ink: 'var(--ink)',
  label: 'var(--ink-2)',
  axis: 'var(--axis)',
  grid: 'var(--grid)',
  surface: 'var(--surface)',
} as const;

/** Width and height of a chart in pixels, labels included. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A chart that takes half of a page, or all of a phone's screen. */
export const halfPage: Size = { width: 420, height: 240 };

/** A chart that takes all of a page. */
export const fullPage: Size = { width: 900, height: 320 };

const axis = {
  labelColor: color.label,
  titleColor: color.label,
  titleFontWeight: 'normal',
  labelFontSize: 11.5,
  titleFontSize: 11.5,
  gridColor: color.grid,
  domain: false,
  ticks: false,
  labelPadding: 6,
} as const;

/**
 * Draws a chart of vega-lite as an SVG without fixed size, whose colours are custom properties of the page.
 *
 * @param spec - without size and configuration.
 * @param label - what a screen reader says.
 */
export async function renderChart(spec: object, size: Size, label: string): Promise<Html> {
  const { spec: compiled } = compile({
    ...spec,
    ...size,
    autosize: { type: 'fit', contains: 'padding' },
    padding: { left: 2, right: 10, top: 6, bottom: 2 },
    background: null,
    config: {
      font: 'system-ui, sans-serif',
      view: { stroke: null },
      axis,
      axisX: { grid: false, domain: true, domainColor: color.axis, labelFlush: false },
      text: { color: color.label, fontSize: 11.5 },
    },
  } as unknown as TopLevelSpec);
  const view = new vega.View(vega.parse(compiled), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return new Html(
    svg
      .replace(/ width="[^"]*" height="[^"]*"/, ` role="img" aria-label="${label.replaceAll('"', "'")}"`)
      .replaceAll(' xmlns:xlink="http://www.w3.org/1999/xlink"', ''),
  );
}
