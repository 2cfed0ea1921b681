import * as tf from '@tensorflow/tfjs-core';
import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { checkFeatures, checkFinite, checkLabels, checkSeveralClasses } from './check-arguments.ts';
import { TopK } from './top-k.ts';

/** What {@link knnClassify} takes. */
export interface KnnOptions {
  /** Features with known labels, shape [bank rows, D], float32. They need not be normalised. */
  readonly bank: tf.Tensor2D;
  /** Label of each bank row, integers in [0, classes). */
  readonly bankLabels: ArrayLike<number>;
  /** Features to classify, shape [queries, D], float32. */
  readonly queries: tf.Tensor2D;
  /** Neighbours that vote, an integer in [1, bank rows]. Usual: 20 and 200. */
  readonly k: number;
  /** Divisor of the cosines in the votes' weights, > 0. Default: 0.1. */
  readonly temperature?: number;
  /** Number of classes, an integer >= 2. */
  readonly classes: number;
  /** Called after every block of queries. */
  readonly onProgress?: (progress: { done: number; total: number }) => void;
}

/** What {@link knnClassify} returns. */
export interface KnnResult {
  /** Predicted class of each query. */
  readonly predictions: Int32Array;
  /** Votes, row-major [queries, classes]: the sum of exp(cosine / temperature) over the neighbours of each class. */
  readonly scores: Float64Array;
}

/** Similarities held at a time: 1024 x 4096 x 4 bytes = 16 MB. */
const QUERIES_AT_ONCE = 1024;
const BANK_AT_ONCE = 4096;

/** Rows [start, start + count) of `features`, each of unit length (zero rows stay zero). */
function unitRows(features: tf.Tensor2D, start: number, count: number): tf.Tensor2D {
  const rows = tf.slice(features, [start, 0], [count, features.shape[1]]);
  return tf.div(rows, tf.maximum(tf.sqrt(tf.sum(tf.square(rows), 1, true)), 1e-12));
}

/** The k most similar bank rows of the queries [start, start + count). */
async function neighbours(bank: tf.Tensor2D, queries: tf.Tensor2D, start: number, count: number, k: number) {
  const best = Array.from({ length: count }, () => new TopK(k));
  const units = tf.tidy(() => unitRows(queries, start, count));
  for (let first = 0; first < bank.shape[0]; first += BANK_AT_ONCE) {
    const rows = Math.min(BANK_AT_ONCE, bank.shape[0] - first);
    const cosines = tf.tidy(() => tf.matMul(units, unitRows(bank, first, rows), false, true));
    const values = await cosines.data<'float32'>();
    best.forEach((top, query) => {
      top.offer(values, query * rows, rows, first);
    });
    cosines.dispose();
  }
  units.dispose();
  return best;
}

/**
 * Classifies features by a weighted vote of their nearest neighbours in a bank of labelled features.
 *
 * Rows are L2-normalised; of the k bank rows with the largest cosine, score_c = sum over those of class c of exp(cosine / temperature); the prediction is the
 * class with the largest score. Ties: the earlier bank row, the smaller class. Works block by block, so that a bank of 100,000 x 512 needs some tens of MB beside itself.
 *
 * @param options - bank, queries, k, temperature, classes.
 * @returns predictions and scores; no tensors.
 * @throws RangeError if shapes or labels do not fit, a number is outside its range, the bank holds one class alone, or a feature is not finite.
 * @example
 * ```ts
 * import { knnClassify } from '@tfjs-ssl/evaluation';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const bank = tf.tensor2d([[1, 0], [2, 0.1], [0, 3]]);
 * const queries = tf.tensor2d([[5, 1], [0.1, 1]]);
 * const { predictions } = await knnClassify({ bank, bankLabels: [0, 0, 1], queries, k: 1, classes: 2 });
 * console.log(predictions); // Int32Array [ 0, 1 ]
 * ```
 * @see Wu et al. 2018, "Unsupervised Feature Learning via Non-Parametric Instance Discrimination", section 3.4.
 */
export async function knnClassify(options: KnnOptions): Promise<KnnResult> {
  const { bank, bankLabels, queries, k, temperature = 0.1, classes, onProgress } = options;
  checkFeatures('knnClassify', 'bank', bank);
  checkFeatures('knnClassify', 'queries', queries);
  if (bank.shape[1] !== queries.shape[1]) {
    throw argumentError({
      fn: 'knnClassify',
      argument: 'queries',
      required: `have as many columns as bank, ${bank.shape[1]}`,
      got: queries.shape[1],
      advice: 'Use one encoder for both.',
    });
  }
  const rule = { min: 2, integer: true };
  checkNumber('knnClassify', 'classes', classes, rule, 'With one class every answer is right.');
  checkLabels('knnClassify', 'bankLabels', bankLabels, bank.shape[0], classes);
  checkSeveralClasses('knnClassify', 'bankLabels', bankLabels);
  checkNumber(
    'knnClassify',
    'k',
    k,
    { min: 1, max: bank.shape[0], integer: true },
    'It is a number of rows of the bank.',
  );
  checkNumber('knnClassify', 'temperature', temperature, { above: 0 }, 'Leave it out for 0.1.');
  await checkFinite('knnClassify', 'bank', bank);
  await checkFinite('knnClassify', 'queries', queries);

  const total = queries.shape[0];
  const predictions = new Int32Array(total);
  const scores = new Float64Array(total * classes);
  for (let start = 0; start < total; start += QUERIES_AT_ONCE) {
    const count = Math.min(QUERIES_AT_ONCE, total - start);
    const best = await neighbours(bank, queries, start, count, k);
    best.forEach(({ values, places }, i) => {
      const row = scores.subarray((start + i) * classes, (start + i + 1) * classes);
      // Votes relative to the largest decide, so that a small temperature cannot make all of them infinite.
      const largest = values.reduce((max, value) => Math.max(max, value), Number.NEGATIVE_INFINITY);
      for (let j = 0; j < k; j++) {
        const label = bankLabels[places[j] as number] as number;
        row[label] = (row[label] as number) + Math.exp(((values[j] as number) - largest) / temperature);
      }
      predictions[start + i] = row.indexOf(Math.max(...row));
      row.forEach((votes, label) => {
        if (votes > 0) row[label] = votes * Math.exp(largest / temperature); // none stays 0, where the factor is infinite
      });
    });
    onProgress?.({ done: start + count, total });
  }
  return { predictions, scores };
}

/**
 * The fraction of queries that {@link knnClassify} gives their own label.
 *
 * @param options - those of {@link knnClassify}, and `queryLabels`: the label of each query.
 * @returns a fraction from 0 to 1.
 * @throws RangeError as {@link knnClassify}, and if the query labels do not fit.
 * @example
 * ```ts
 * import { knnAccuracy } from '@tfjs-ssl/evaluation';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const bank = tf.tensor2d([[1, 0], [2, 0.1], [0, 3]]);
 * const queries = tf.tensor2d([[5, 1], [0.1, 1]]);
 * const labels = { bankLabels: [0, 0, 1], queryLabels: [0, 0] };
 * console.log(await knnAccuracy({ bank, queries, ...labels, k: 1, classes: 2 })); // 0.5
 * ```
 */
export async function knnAccuracy(options: KnnOptions & { readonly queryLabels: ArrayLike<number> }): Promise<number> {
  const { queries, queryLabels, classes } = options;
  checkFeatures('knnAccuracy', 'queries', queries);
  checkLabels('knnAccuracy', 'queryLabels', queryLabels, queries.shape[0], classes);
  const { predictions } = await knnClassify(options);
  return predictions.filter((prediction, i) => prediction === queryLabels[i]).length / predictions.length;
}
