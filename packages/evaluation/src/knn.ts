import type * as tf from '@tensorflow/tfjs-core';
import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { checkFeatures, checkFinite, checkLabels, checkSeveralClasses } from './check-arguments.ts';
import { forNeighbours, type Neighbours } from './neighbours.ts';
import { type ClassificationResult, RankTally } from './rank-tally.ts';

/** Options of {@link knnClassify}. */
export interface KnnOptions {
  /** Features with known labels, shape [bank rows, D], float32. They need not be normalised. */
  readonly bank: tf.Tensor2D;
  /** Label of each bank row, integers in [0, classes). */
  readonly bankLabels: ArrayLike<number>;
  /** Features to classify, shape [queries, D], float32. */
  readonly queries: tf.Tensor2D;
  /** Number of neighbours that vote, an integer in [1, bank rows]. Usual values are 20 and 200. */
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

/** The votes of one query's neighbours, and the class with the most. */
function vote(
  { values, places }: Neighbours,
  k: number,
  bankLabels: ArrayLike<number>,
  temperature: number,
  votes: Float64Array,
): number {
  // Votes relative to the largest decide, so that a small temperature cannot make all of them infinite.
  const largest = values[0] as number;
  for (let j = 0; j < k; j++) {
    const label = bankLabels[places[j] as number] as number;
    votes[label] = (votes[label] as number) + Math.exp(((values[j] as number) - largest) / temperature);
  }
  return votes.indexOf(Math.max(...votes));
}

/**
 * Classifies features by a weighted vote of their nearest neighbours in a bank of labelled features.
 *
 *     score_c = sum over the neighbours of class c of exp(cosine / temperature)
 *
 * The neighbours are the k bank rows with the largest cosine. The prediction is the class with the largest score. If cosines are equal, the earlier bank row counts; if
 * scores are equal, the smaller class. The function works in blocks: a bank of 100,000 x 512 needs only some tens of MB more than itself.
 *
 * @param options - bank, queries, k, temperature, classes.
 * @returns predictions and scores; no tensors.
 * @throws RangeError if shapes or labels do not fit, a number is outside its range, the bank has only one class, or a feature is not finite.
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
  const { bankLabels, queries, k, temperature = 0.1, classes } = options;
  await checkKnn('knnClassify', { ...options, temperature });
  checkK('knnClassify', 'k', k, options.bank.shape[0]);
  const predictions = new Int32Array(queries.shape[0]);
  const scores = new Float64Array(queries.shape[0] * classes);
  await forNeighbours(options, k, (neighbours, query) => {
    const row = scores.subarray(query * classes, (query + 1) * classes);
    predictions[query] = vote(neighbours, k, bankLabels, temperature, row);
    const factor = Math.exp((neighbours.values[0] as number) / temperature);
    row.forEach((votes, label) => {
      if (votes > 0) row[label] = votes * factor; // none stays 0, where the factor is infinite
    });
  });
  return { predictions, scores };
}

type Checked = Required<Pick<KnnOptions, 'bank' | 'bankLabels' | 'queries' | 'temperature' | 'classes'>>;

/** Throws unless bank and queries fit each other and the labels. */
async function checkKnn(fn: string, { bank, bankLabels, queries, temperature, classes }: Checked): Promise<void> {
  checkFeatures(fn, 'bank', bank);
  checkFeatures(fn, 'queries', queries);
  if (bank.shape[1] !== queries.shape[1]) {
    throw argumentError({
      fn,
      argument: 'queries',
      required: `have as many columns as bank, ${bank.shape[1]}`,
      got: queries.shape[1],
      advice: 'Use one encoder for both.',
    });
  }
  const rule = { min: 2, integer: true };
  checkNumber(fn, 'classes', classes, rule, 'With one class every answer is right.');
  checkLabels(fn, 'bankLabels', bankLabels, bank.shape[0], classes);
  checkSeveralClasses(fn, 'bankLabels', bankLabels);
  checkNumber(fn, 'temperature', temperature, { above: 0 }, 'Leave it out for 0.1.');
  await checkFinite(fn, 'bank', bank);
  await checkFinite(fn, 'queries', queries);
}

function checkK(fn: string, argument: string, k: number, rows: number): void {
  checkNumber(fn, argument, k, { min: 1, max: rows, integer: true }, 'It is a number of rows of the bank.');
}

/**
 * Computes the fraction of queries for which {@link knnClassify} predicts the right label.
 *
 * @param options - like those of {@link knnClassify}, with `queryLabels`: the label of each query.
 * @returns a fraction from 0 to 1.
 * @throws RangeError like {@link knnClassify}, and if the query labels do not fit.
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

/** Options of {@link knnEvaluate}. */
export interface KnnEvaluateOptions extends Omit<KnnOptions, 'k'> {
  /** Label of each query, integers in [0, classes). */
  readonly queryLabels: ArrayLike<number>;
  /** Numbers of neighbours that vote, each an integer in [1, bank rows]. Default: 20 and 200, each at most the number of bank rows. */
  readonly ks?: readonly number[];
}

/** What {@link knnEvaluate} returns for each k. */
export interface KnnEvaluation extends ClassificationResult {
  readonly k: number;
}

/**
 * Computes the top-1 and top-5 accuracy of {@link knnClassify} for several numbers of neighbours, in one pass over the bank.
 *
 * A class without a neighbour is never among the five best, so for k = 1 the two accuracies are equal.
 *
 * @param options - like those of {@link knnClassify}, with `ks` instead of `k`, and with `queryLabels`.
 * @returns accuracies and predictions for each k, in the order of `ks`; no tensors.
 * @throws RangeError like {@link knnClassify}, and if the query labels do not fit.
 * @example
 * ```ts
 * import { knnEvaluate } from '@tfjs-ssl/evaluation';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const bank = tf.tensor2d([[1, 0], [2, 0.1], [0, 3]]);
 * const queries = tf.tensor2d([[5, 1], [0.1, 1]]);
 * const labels = { bankLabels: [0, 0, 1], queryLabels: [0, 0] };
 * for (const { k, top1, top5 } of await knnEvaluate({ bank, queries, ...labels, classes: 2, ks: [1, 3] })) {
 *   console.log(k, top1, top5); // 1 0.5 0.5, then 3 0.5 1
 * }
 * ```
 */
export async function knnEvaluate(options: KnnEvaluateOptions): Promise<KnnEvaluation[]> {
  const { bank, bankLabels, queries, queryLabels, classes, temperature = 0.1 } = options;
  await checkKnn('knnEvaluate', { ...options, temperature });
  checkLabels('knnEvaluate', 'queryLabels', queryLabels, queries.shape[0], classes);
  const ks = options.ks ?? [...new Set([20, 200].map((k) => Math.min(k, bank.shape[0])))];
  const advice = 'Leave it out for 20 and 200.';
  checkNumber('knnEvaluate', 'ks.length', ks.length, { min: 1, integer: true }, advice);
  for (const [i, k] of ks.entries()) checkK('knnEvaluate', `ks[${i}]`, k, bank.shape[0]);
  const tallies = ks.map((k) => ({ k, tally: new RankTally(queryLabels) }));
  await forNeighbours(options, Math.max(...ks), (neighbours, query) => {
    for (const { k, tally } of tallies) {
      const votes = new Float64Array(classes);
      vote(neighbours, k, bankLabels, temperature, votes);
      tally.add(query, votes, 0);
    }
  });
  return tallies.map(({ k, tally }) => ({ k, ...tally.result() }));
}
