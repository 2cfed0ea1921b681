/** Mean of some values with its 95 % interval. */
export interface Estimate {
  readonly values: readonly number[];
  readonly mean: number;
  /** Standard deviation of the values, with n - 1; null for a single one. */
  readonly deviation: number | null;
  /** The ends of the 95 % interval of the mean, by the t distribution; null for a single value. */
  readonly low: number | null;
  readonly high: number | null;
}

/** Mean, standard deviation and the 95 % interval of the mean: mean -+ t(0.975, n - 1) * deviation / sqrt(n). */
export function estimate(values: readonly number[]): Estimate {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n < 2) return { values, mean, deviation: null, low: null, high: null };
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1));
  const half = (tQuantile(0.975, n - 1) * deviation) / Math.sqrt(n);
  return { values, mean, deviation, low: mean - half, high: mean + half };
}

/**
 * Quantile of Student's t distribution.
 *
 * @param p - probability, in (0.5, 1).
 * @param degrees - degrees of freedom, an integer of at least 1.
 */
export function tQuantile(p: number, degrees: number): number {
  let [low, high] = [0, 1];
  while (tProbability(high, degrees) < p) high *= 2;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (tProbability(middle, degrees) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * Cumulative probability of Student's t distribution at t >= 0, for whole degrees of freedom in closed form.
 *
 * @see Abramowitz and Stegun, "Handbook of Mathematical Functions", 26.7.3 and 26.7.4
 */
export function tProbability(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const isOdd = degrees % 2 === 1;
  // cos^k with the products of odd over even numbers (or even over odd ones) below it
  let term = isOdd ? cosine : 1;
  let sum = 0;
  for (let k = isOdd ? 1 : 0; k <= degrees - 2; k += 2) {
    sum += term;
    term *= ((k + 1) / (k + 2)) * cosine ** 2;
  }
  const within = isOdd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
  return (1 + within) / 2;
}
