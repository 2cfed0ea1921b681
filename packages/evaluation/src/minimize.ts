/** A value and its gradient at a point. */
interface Evaluation {
  readonly value: number;
  readonly gradient: Float64Array;
}

/** Options of {@link minimize}. */
export interface MinimizeOptions {
  /** Stop if the Euclidean norm of the gradient is at most this. */
  readonly tolerance: number;
  readonly maxIterations: number;
  /** Relative error of the objective's values: differences below it decide nothing. */
  readonly noise: number;
  readonly onIteration?: ((progress: { iteration: number; value: number; gradientNorm: number }) => void) | undefined;
}

/** Where {@link minimize} stopped. */
export interface Minimum extends Evaluation {
  readonly point: Float64Array;
  readonly gradientNorm: number;
  readonly iterations: number;
  /** Whether the gradient's norm is within the tolerance. */
  readonly converged: boolean;
}

const HISTORY = 10;
const SUFFICIENT_DECREASE = 1e-4;
const CURVATURE = 0.9;
const TRIALS = 20;

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
};

/** a + factor b. */
const add = (a: Float64Array, b: Float64Array, factor: number): Float64Array =>
  a.map((value, i) => value + factor * (b[i] as number));

/** A step taken: s, the change of the point; y, the change of the gradient; their product. */
interface Pair {
  readonly s: Float64Array;
  readonly y: Float64Array;
  readonly sy: number;
}

/** The two-loop recursion: minus the approximate inverse Hessian times the gradient. */
function direction(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  let q: Float64Array = gradient.map((value) => -value);
  const alphas: number[] = [];
  for (const { s, y, sy } of pairs.toReversed()) {
    const alpha = dot(s, q) / sy;
    alphas.push(alpha);
    q = add(q, y, -alpha);
  }
  const last = pairs.at(-1);
  if (last) {
    const scale = last.sy / dot(last.y, last.y);
    q = q.map((value) => value * scale);
  }
  for (const { s, y, sy } of pairs) q = add(q, s, (alphas.pop() as number) - dot(y, q) / sy);
  return q;
}

type Objective = (point: Float64Array) => Promise<Evaluation>;

/**
 * Finds a step that meets the strong Wolfe conditions; null if none is found.
 *
 * For convex objectives: the slope along the line only rises, so a bracket of its zero is narrowed by secants.
 */
async function lineSearch(
  objective: Objective,
  from: Evaluation & { point: Float64Array },
  along: Float64Array,
  firstTrial: number,
  noise: number,
): Promise<(Evaluation & { point: Float64Array }) | null> {
  const slope0 = dot(from.gradient, along);
  let [low, lowSlope, high, highSlope] = [0, slope0, Number.POSITIVE_INFINITY, 0];
  let step = firstTrial;
  for (let trial = 0; trial < TRIALS; trial++) {
    const point = add(from.point, along, step);
    const { value, gradient } = await objective(point);
    const slope = dot(gradient, along);
    const limit = from.value + SUFFICIENT_DECREASE * step * slope0 + noise * Math.abs(from.value);
    if (!(value <= limit) || slope > -CURVATURE * slope0) {
      [high, highSlope] = [step, slope];
    } else if (slope < CURVATURE * slope0) {
      [low, lowSlope] = [step, slope];
    } else {
      return { point, value, gradient };
    }
    if (high === Number.POSITIVE_INFINITY) {
      step *= 4;
    } else {
      const secant = low - (lowSlope * (high - low)) / (highSlope - lowSlope);
      const margin = 0.1 * (high - low);
      const inside = secant > low + margin && secant < high - margin;
      step = inside ? secant : (low + high) / 2;
    }
  }
  return null;
}

/**
 * Minimises a smooth convex function by L-BFGS (10 pairs, two-loop recursion, strong Wolfe conditions) in double precision.
 *
 * It stops if the gradient's norm is within the tolerance, after `maxIterations`, or if a decrease cannot be told from noise.
 *
 * @see Nocedal & Wright, "Numerical Optimization", algorithms 7.4 and 7.5.
 */
export async function minimize(objective: Objective, start: Float64Array, options: MinimizeOptions): Promise<Minimum> {
  const { tolerance, maxIterations, noise, onIteration } = options;
  let current = { point: start, ...(await objective(start)) };
  let pairs: Pair[] = [];
  let iterations = 0;
  const norm = () => Math.sqrt(dot(current.gradient, current.gradient));
  while (norm() > tolerance && iterations < maxIterations) {
    const along = direction(current.gradient, pairs);
    const next = await lineSearch(objective, current, along, pairs.length > 0 ? 1 : Math.min(1, 1 / norm()), noise);
    if (!next) {
      // Steepest descent once more, with a clean memory; where that finds nothing either, the values say no more.
      if (pairs.length === 0) break;
      pairs = [];
      continue;
    }
    const s = add(next.point, current.point, -1);
    const y = add(next.gradient, current.gradient, -1);
    const sy = dot(s, y);
    if (sy > 1e-10 * Math.sqrt(dot(s, s) * dot(y, y))) pairs = [...pairs, { s, y, sy }].slice(-HISTORY);
    current = next;
    iterations++;
    onIteration?.({ iteration: iterations, value: current.value, gradientNorm: norm() });
  }
  return { ...current, gradientNorm: norm(), iterations, converged: norm() <= tolerance };
}
