/** Median, extremes and relative spread of the rounds of a measurement. */
export interface Summary {
  readonly median: number;
  readonly minimum: number;
  readonly maximum: number;
  /** (maximum - minimum) / median: 0 where all rounds took equally long. */
  readonly spread: number;
}

/** Middle value; the mean of the two middle ones where their number is even. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('median: values must hold at least one number, got none. Measure a round.');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Summarises rounds. Medians, not means: one disturbed round must not move the result. */
export function summarize(values: readonly number[]): Summary {
  const middle = median(values);
  const minimum = Math.min(...values);
  const maximum = Math.max(...values);
  return { median: middle, minimum, maximum, spread: middle === 0 ? 0 : (maximum - minimum) / middle };
}

/** Rounds to a number of significant digits: more than a measurement has would only be noise in a report. */
export function significant(value: number, digits = 4): number {
  return Number(value.toPrecision(digits));
}
