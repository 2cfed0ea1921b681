import * as tf from '@tensorflow/tfjs-core';
import { checkFeatures, checkFinite } from './check-arguments.ts';
import { symmetricEigenvalues } from './symmetric-eigenvalues.ts';

/** Rows that are read back at a time. */
const ROWS_AT_ONCE = 1024;

/**
 * Measures how many dimensions the features use (RankMe).
 *
 *     p_k = sigma_k / sum of all sigma;   rank = exp(-sum of p_k log p_k)
 *
 * Here sigma are the singular values of the features, which are not centred. A rank of 1 means that all features lie on one line (or are zero): the encoder has
 * collapsed. A rank of min(rows, D) means that all dimensions are used equally.
 *
 * It needs no labels. Pass several times as many rows as columns, because the rank cannot exceed the number of rows.
 *
 * Products and eigenvalues are computed in double precision, because rounding in float32 would add hundreds of small singular values. JavaScript computes them:
 * rows D^2 / 2 + D^3 multiplications, one or two seconds for 10,000 x 512.
 *
 * @param features - shape [rows, D], float32.
 * @returns a number from 1 to min(rows, D).
 * @throws RangeError if the shape does not fit or a value is not finite.
 * @example
 * ```ts
 * import { effectiveRank } from '@tfjs-ssl/evaluation';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * console.log(await effectiveRank(tf.tensor2d([[1, 0], [0, 1], [0, 0]]))); // 2
 * ```
 * @see Garrido et al. 2023, "RankMe: Assessing the Downstream Performance of Pretrained Self-Supervised Representations by Their Rank", section 3, without its
 * epsilon, which only avoids log 0.
 */
export async function effectiveRank(features: tf.Tensor2D): Promise<number> {
  checkFeatures('effectiveRank', 'features', features);
  await checkFinite('effectiveRank', 'features', features);
  const columns = features.shape[1];
  const eigenvalues = symmetricEigenvalues(await gram(features), columns);
  const largest = eigenvalues.reduce((max, value) => Math.max(max, value), 0);
  // What double precision cannot tell from 0.
  const floor = largest * columns * Number.EPSILON;
  const singular = eigenvalues.map((value) => (value > floor ? Math.sqrt(value) : 0));
  const total = singular.reduce((sum, value) => sum + value, 0);
  let entropy = 0;
  for (const value of singular) if (value > 0) entropy -= (value / total) * Math.log(value / total);
  return Math.exp(entropy);
}

/** features^T features in double precision, row-major. */
async function gram(features: tf.Tensor2D): Promise<Float64Array> {
  const [rows, columns] = features.shape;
  const sums = new Float64Array(columns * columns);
  for (let start = 0; start < rows; start += ROWS_AT_ONCE) {
    const count = Math.min(ROWS_AT_ONCE, rows - start);
    const block = tf.slice(features, [start, 0], [count, columns]);
    const values = await block.data<'float32'>();
    block.dispose();
    addProducts(sums, values, count, columns);
  }
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j < i; j++) sums[i * columns + j] = sums[j * columns + i] as number;
  }
  return sums;
}

/** Adds the upper triangle of rows^T rows, four rows at a time, so that the sums are read and written a quarter as often. */
function addProducts(sums: Float64Array, values: Float32Array, rows: number, columns: number): void {
  const four = new Float64Array(4 * columns);
  const [a, b, c, d] = [0, 1, 2, 3].map((i) => four.subarray(i * columns, (i + 1) * columns)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let row = 0; row < rows; row += 4) {
    four.fill(0);
    four.set(values.subarray(row * columns, Math.min(row + 4, rows) * columns));
    for (let i = 0; i < columns; i++) {
      const [ai, bi, ci, di] = [a[i] as number, b[i] as number, c[i] as number, d[i] as number];
      const base = i * columns;
      for (let j = i; j < columns; j++) {
        sums[base + j] =
          (sums[base + j] as number) +
          (ai * (a[j] as number) + bi * (b[j] as number) + ci * (c[j] as number) + di * (d[j] as number));
      }
    }
  }
}
