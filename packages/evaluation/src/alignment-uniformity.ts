import * as tf from '@tensorflow/tfjs-core';
import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { checkFeatures, checkFinite } from './check-arguments.ts';
import { unitRowsOf } from './unit-rows-of.ts';

/** Distances held at a time: 2048 x 2048 x 4 bytes = 16 MB. */
const ROWS_AT_ONCE = 2048;

/**
 * Measures how far apart the two views of an image lie on the unit sphere.
 *
 *     alignment = mean over the pairs of |z_i - z_i'|^2, rows of unit length
 *
 * A value of 0 means that both views of every image are the same point. This is the goal, but a collapsed encoder also reaches it, so read the value
 * together with {@link uniformity}. A value of 2 means that the two views are no nearer to each other than random points are.
 *
 * @param projections - shape [2N, D], float32; rows i and i + N are the two views of image i. You can also pass features. Rows need not be normalised.
 * @returns a number from 0 to 4.
 * @throws RangeError if the shape does not fit or a value is not finite.
 * @example
 * ```ts
 * import { alignment } from '@tfjs-ssl/evaluation';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * console.log(await alignment(tf.tensor2d([[1, 0], [0, 2], [3, 0], [1, 0]]))); // (0 + 2) / 2 = 1
 * ```
 * @see Wang & Isola 2020, "Understanding Contrastive Representation Learning through Alignment and Uniformity on the Hypersphere", equation 2 with alpha = 2.
 */
export async function alignment(projections: tf.Tensor2D): Promise<number> {
  checkFeatures('alignment', 'projections', projections);
  const [rows] = projections.shape;
  if (rows % 2 !== 0) {
    throw argumentError({
      fn: 'alignment',
      argument: 'projections',
      required: 'have an even number of rows (two views per image)',
      got: rows,
      advice: 'Concatenate all first views and all second views.',
    });
  }
  await checkFinite('alignment', 'projections', projections);
  const pairs = rows / 2;
  let sum = 0;
  for (let start = 0; start < pairs; start += ROWS_AT_ONCE) {
    const count = Math.min(ROWS_AT_ONCE, pairs - start);
    const distances = tf.tidy(() => {
      const [first, second] = [unitRowsOf(projections, start, count), unitRowsOf(projections, pairs + start, count)];
      return tf.sum(tf.square(tf.sub(first, second)), 1);
    });
    for (const distance of await distances.data()) sum += distance;
    distances.dispose();
  }
  return sum / pairs;
}

/** Options of {@link uniformity}. */
export interface UniformityOptions {
  /** Sharpness of the Gaussian potential, > 0. Default: 2, as in the paper. */
  readonly t?: number;
}

/**
 * Measures how evenly features lie on the unit sphere.
 *
 *     uniformity = log mean over the pairs i < j of exp(-t |z_i - z_j|^2), rows of unit length
 *
 * A value of 0 means that all features are the same point: the encoder has collapsed. Lower values are more even. Independent directions in many dimensions
 * come close to -2t, which is -4 by default.
 *
 * It costs rows^2 D / 2 multiplications, as matrix products in blocks, so memory stays flat.
 *
 * @param features - shape [rows >= 2, D], float32; they need not be normalised. Rows of zeros stay in the centre of the sphere.
 * @param options - `t`.
 * @returns a number <= 0.
 * @throws RangeError if there is only one row, a value is not finite, or t is outside its range.
 * @example
 * ```ts
 * import { uniformity } from '@tfjs-ssl/evaluation';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * console.log(await uniformity(tf.tensor2d([[1, 0], [0, 2]]))); // -4: two directions at a right angle
 * ```
 * @see Wang & Isola 2020, "Understanding Contrastive Representation Learning through Alignment and Uniformity on the Hypersphere", equation 3.
 */
export async function uniformity(features: tf.Tensor2D, options: UniformityOptions = {}): Promise<number> {
  const { t = 2 } = options;
  checkFeatures('uniformity', 'features', features);
  checkNumber('uniformity', 't', t, { above: 0 }, 'Leave it out for 2.');
  const [rows] = features.shape;
  if (rows < 2) {
    throw argumentError({
      fn: 'uniformity',
      argument: 'features',
      required: 'have at least two rows',
      got: rows,
      advice: 'Pass features of several images.',
    });
  }
  await checkFinite('uniformity', 'features', features);
  let sum = 0; // over ordered pairs
  for (let start = 0; start < rows; start += ROWS_AT_ONCE) {
    const count = Math.min(ROWS_AT_ONCE, rows - start);
    const own = tf.tidy(() => unitRowsOf(features, start, count));
    for (let first = start; first < rows; first += ROWS_AT_ONCE) {
      const others = Math.min(ROWS_AT_ONCE, rows - first);
      const sums = tf.tidy(() => {
        const other = first === start ? own : unitRowsOf(features, first, others);
        const potentials = gaussians(own, other, t);
        return tf.sum(first === start ? tf.mul(potentials, tf.sub(1, tf.eye(count))) : potentials, 1);
      });
      const weight = first === start ? 1 : 2;
      for (const value of await sums.data()) sum += weight * value;
      sums.dispose();
    }
    own.dispose();
  }
  return Math.log(sum / (rows * (rows - 1)));
}

/** exp(-t |a_i - b_j|^2); the lengths are 1, or 0 for rows of zeros. */
function gaussians(a: tf.Tensor2D, b: tf.Tensor2D, t: number): tf.Tensor2D {
  const squares = (rows: tf.Tensor2D) => tf.sum(tf.square(rows), 1);
  const cosines = tf.matMul(a, b, false, true);
  const distances = tf.sub(tf.add(tf.expandDims(squares(a), 1), squares(b)), tf.mul(cosines, 2));
  return tf.exp(tf.mul(tf.maximum(distances, 0), -t));
}
