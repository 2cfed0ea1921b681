import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { lightColors } from '../colors.ts';
import { Html, html } from '../html.ts';

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
  const svg = await draw(spec, size);
  return new Html(svg.replace(/ width="[^"]*" height="[^"]*"/, ` ${named(label)}`));
}

/** Draws the same as a file of its own: an SVG of this size on white, in the light colours of the page. */
export async function renderFile(spec: object, size: Size, title: string): Promise<string> {
  const svg = await draw({ ...spec, title: { text: title, color: color.ink }, background: color.surface }, size);
  return svg
    .replace('<svg', () => `<svg ${named(title)}`)
    .replace(/var\(--([\w-]+)\)/g, (_, name) => lightColors[name] as string);
}

const named = (label: string): string => html`role="img" aria-label="${label}"`.text;

async function draw(spec: object, size: Size): Promise<string> {
  const { spec: compiled } = compile({
    background: null,
    ...spec,
    ...size,
    autosize: { type: 'fit', contains: 'padding' },
    padding: { left: 2, right: 10, top: 6, bottom: 2 },
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
  return svg.replaceAll(' xmlns:xlink="http://www.w3.org/1999/xlink"', '');
}
