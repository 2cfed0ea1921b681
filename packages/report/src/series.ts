/** A point of a curve. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * Leaves at most two points of each of `columns` parts of a curve, its lowest and its highest: it looks the same and stays small.
 *
 * @param points - in the order of x.
 * @param columns - parts, about as many as the drawing has pixels in a row.
 */
export function thinOut(points: readonly Point[], columns: number): Point[] {
  if (points.length <= 2 * columns) return [...points];
  return Array.from({ length: columns }, (_, i) => {
    const bound = (part: number) => Math.round((part * points.length) / columns);
    const part = points.slice(bound(i), bound(i + 1));
    const low = part.reduce((a, b) => (b.y < a.y ? b : a));
    const high = part.reduce((a, b) => (b.y > a.y ? b : a));
    return low.x < high.x ? [low, high] : [high, low];
  }).flat();
}

/**
 * The mean around each point.
 *
 * @param points - in the order of x, equally spaced.
 * @param half - points that count on either side; fewer at the ends.
 */
export function runningMean(points: readonly Point[], half: number): Point[] {
  let [sum, from, to] = [0, 0, 0];
  return points.map(({ x }, i) => {
    for (; to < Math.min(points.length, i + half + 1); to++) sum += (points[to] as Point).y;
    for (; from < i - half; from++) sum -= (points[from] as Point).y;
    return { x, y: sum / (to - from) };
  });
}

/** Arithmetic mean. */
export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
