import { niceTicks, tickLabels } from './nice-ticks.ts';
import { mean } from './tenths.ts';

/** One point of a loss curve. */
export interface LossPoint {
  /** Index of the step, from 0. */
  readonly step: number;
  readonly loss: number;
}

/** Options of {@link lossCurveSvg}. */
export interface LossCurveOptions {
  /** Heading. Default: `'Training loss'`. */
  readonly title?: string;
  /** Draws the horizontal axis in epochs of this many steps. Default: an axis in steps. */
  readonly stepsPerEpoch?: number;
  /** Width in pixels, at least 200. Default: 800. */
  readonly width?: number;
  /** Height in pixels, at least 150. Default: 450. */
  readonly height?: number;
}

type Point = readonly [x: number, y: number];

/**
 * Draws the training loss as an SVG: single steps light, the mean of each epoch bold (a running mean if there are fewer than five
 * epochs).
 *
 * @param points - steps in order; those without a finite loss are left out.
 * @param options - heading, unit of the horizontal axis, size.
 * @returns an SVG document on a white background.
 * @throws RangeError if a size is too small or `stepsPerEpoch` is not positive.
 * @example
 * ```ts
 * import { lossCurveSvg } from '@tfjs-ssl/trainer';
 *
 * const points = Array.from({ length: 100 }, (_, step) => ({ step, loss: 2 + 2 / (1 + step) }));
 * const svg = lossCurveSvg(points, { title: 'SimCLR', stepsPerEpoch: 10 });
 * console.log(svg.split('\n').length);
 * ```
 */
export function lossCurveSvg(points: readonly LossPoint[], options: LossCurveOptions = {}): string {
  const { title = 'Training loss', stepsPerEpoch, width = 800, height = 450 } = options;
  atLeast('stepsPerEpoch', stepsPerEpoch ?? 1, 1);
  atLeast('width', width, 200);
  atLeast('height', height, 150);

  const unit = stepsPerEpoch ?? 1;
  const finite = points.filter(({ loss }) => Number.isFinite(loss));
  const line = finite.map(({ step, loss }): Point => [(step + 1) / unit, loss]);
  const lastX = line.at(-1)?.[0] ?? 1;
  const losses = line.length > 0 ? line.map(([, loss]) => loss) : [0, 1];
  const yTicks = niceTicks(
    losses.reduce((a, b) => Math.min(a, b)),
    losses.reduce((a, b) => Math.max(a, b)),
    6,
  );
  const xTicks = niceTicks(0, lastX, 8).filter((tick) => tick <= lastX && (stepsPerEpoch || Number.isInteger(tick)));
  const [bottomY, topY] = [yTicks[0] as number, yTicks.at(-1) as number];

  const [left, right, top, bottom] = [64, width - 24, 44, height - 52];
  const x = (value: number): string => (left + (value / lastX) * (right - left)).toFixed(1);
  const y = (value: number): string => (bottom - ((value - bottomY) / (topY - bottomY)) * (bottom - top)).toFixed(1);
  const polyline = (curve: readonly Point[], style: string): string =>
    `<polyline points="${curve.map((point) => `${x(point[0])},${y(point[1])}`).join(' ')}" fill="none" ${style}/>`;
  const [xLabels, yLabels] = [tickLabels(xTicks), tickLabels(yTicks)];

  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="13" fill="#222">
<title>${escapeXml(title)}</title>
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="${(left + right) / 2}" y="27" text-anchor="middle" font-size="16" font-weight="bold">${escapeXml(title)}</text>
${yTicks.map((tick, i) => `<path d="M${left} ${y(tick)}H${right}" stroke="#e6e6e6"/><text x="${left - 8}" y="${y(tick)}" dy="0.35em" text-anchor="end">${yLabels[i]}</text>`).join('\n')}
${xTicks.map((tick, i) => `<path d="M${x(tick)} ${bottom}v5" stroke="#444"/><text x="${x(tick)}" y="${bottom + 20}" text-anchor="middle">${xLabels[i]}</text>`).join('\n')}
${polyline(envelope(line, right - left), 'stroke="#a9c7e8"')}
${polyline(smooth(line, unit), 'stroke="#1f5fa8" stroke-width="2.5" stroke-linejoin="round"')}
<path d="M${left} ${top}V${bottom}H${right}" fill="none" stroke="#444"/>
<text x="${(left + right) / 2}" y="${height - 12}" text-anchor="middle">${stepsPerEpoch ? 'epoch' : 'step'}</text>
<text transform="translate(18 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">loss</text>
</svg>
`;
}

/** At most two points for each of `columns` parts of the line, its lowest and highest: looks the same and stays small. */
function envelope(line: readonly Point[], columns: number): Point[] {
  if (line.length <= 2 * columns) return [...line];
  return chunks(line, line.length / columns).flatMap((chunk) => {
    const low = chunk.reduce((a, b) => (b[1] < a[1] ? b : a));
    const high = chunk.reduce((a, b) => (b[1] > a[1] ? b : a));
    return low[0] < high[0] ? [low, high] : [high, low];
  });
}

/** Means over epochs, each in the middle of its steps; over a sliding twentieth of the line where there are fewer than five. */
function smooth(line: readonly Point[], stepsPerEpoch: number): Point[] {
  const epochs: Point[][] = [];
  for (const point of line) {
    const epoch = Math.ceil(point[0]) - 1;
    epochs[epoch] ??= [];
    epochs[epoch].push(point);
  }
  const enough = epochs.filter((points) => points.length >= stepsPerEpoch / 2);
  if (stepsPerEpoch > 1 && enough.length >= 5) return enough.map(middle);
  const half = Math.ceil(line.length / 40);
  return line.map(([x], i) => [x, middle(line.slice(Math.max(0, i - half), i + half + 1))[1]]);
}

const middle = (points: readonly Point[]): Point => [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];

function chunks(line: readonly Point[], length: number): Point[][] {
  const count = Math.round(line.length / length);
  return Array.from({ length: count }, (_, i) => line.slice(Math.round(i * length), Math.round((i + 1) * length)));
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escapeXml = (text: string): string => text.replace(/[&<>"]/g, (character) => entities[character] as string);

function atLeast(name: string, value: number, least: number): void {
  if (value >= least) return;
  throw new RangeError(`lossCurveSvg: ${name} must be at least ${least}, got ${value}. Pass a greater one.`);
}
