/**
 * Round numbers (1, 2 or 5 times a power of ten apart) that cover a range.
 *
 * @param low - lower end.
 * @param high - upper end; at least `low`.
 * @param count - about how many.
 * @returns ticks in order, the first at or below `low`, the last at or above `high`; at least two.
 */
export function niceTicks(low: number, high: number, count: number): number[] {
  const range = high > low ? high - low : Math.abs(low) || 1;
  const raw = range / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999) as number);
  const first = Math.floor(low / step);
  const last = Math.max(Math.ceil(high / step), first + 1);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

/** Ticks as text, all with as many decimals as their distance needs. */
export function tickLabels(ticks: readonly number[]): string[] {
  const distance = (ticks[1] as number) - (ticks[0] as number);
  const decimals = Math.max(0, -Math.floor(Math.log10(distance) + 1e-9));
  return ticks.map((tick) => tick.toFixed(decimals));
}
