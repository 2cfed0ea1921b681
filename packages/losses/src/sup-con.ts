import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import { unitRows } from '@tfjs-ssl/ops';
import { checkTemperature, checkVectors } from './check-arguments.ts';
import { blocks, comparedRows, oneOf } from './compared-rows.ts';

/** Options of {@link supCon}. */
export interface SupConOptions {
  /** Divisor of the cosine similarities, a finite number > 0; no unit. The paper uses 0.1, its code 0.07. */
  readonly temperature: number;
  /** Whether rows without a positive count as 0 in the mean. Default false: the mean is over the rows that have a positive. */
  readonly countLonely?: boolean;
}

/**
 * SupCon, the supervised contrastive loss: all rows of an anchor's class are its positives.
 *
 *     loss = mean_i -1/|P(i)| sum_{p in P(i)} log( exp(u_i . u_p / temperature) / sum_{j != i} exp(u_i . u_j / temperature) ),
 *     u_i = z_i / max(|z_i|, 1e-12),    P(i) = { p != i : labels_p = labels_i },
 *
 * The mean is over the rows i whose P(i) is not empty. If there is no such row, the loss and its gradient are 0. If every image has its own label and two views, this is {@link ntXent}.
 *
 * The result is right for all finite projections, as with {@link ntXent}. Similarities are computed in blocks of anchors, once for the loss and once for its
 * gradient, so memory grows with the batch and not with its square.
 *
 * @param projections - shape [M, D], float32, M >= 2; any number of views per image, in any order. Normalised inside.
 * @param labels - shape [M], int32: the class of every row. Repeat the labels of the images for every view. Any integers will do;
 * only their equality matters.
 * @param options - the temperature, and whether rows without a positive count.
 * @returns a scalar, float32, in nats; the caller disposes it.
 * @throws RangeError if shapes do not fit or the temperature is not a finite number > 0; TypeError if the projections are not float32 or the labels not int32.
 * @example
 * ```ts
 * import { supCon } from '@tfjs-ssl/losses';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const labels = tf.tensor1d([0, 1, 1, 2], 'int32'); // of four images
 * const projections = tf.randomNormal<tf.Rank.R2>([8, 16]); // two views of them
 * const loss = supCon(projections, tf.concat([labels, labels]), { temperature: 0.1 });
 * console.log(await loss.array());
 * ```
 * @see Khosla et al. 2020, "Supervised Contrastive Learning", eq. 2 (the sum outside the logarithm). Its code, HobbitLong/SupContrast, counts rows without positives as 0
 * (`countLonely`) and multiplies by temperature / 0.07; lightly's `SupConLoss` multiplies by the temperature and gives NaN if a row has no positive.
 */
export function supCon(projections: tf.Tensor2D, labels: tf.Tensor1D, options: SupConOptions): tf.Scalar {
  const { temperature, countLonely = false } = options;
  check(projections, labels);
  checkTemperature('supCon', temperature);
  return tf.tidy(() => {
    const [rows] = projections.shape;
    const others = (first: number, count: number) =>
      tf.sub<tf.Tensor2D>(
        1,
        oneOf(first, count, rows, (row) => row),
      );
    const positives = positiveCounts(labels, others);
    const losses = comparedRows(
      unitRows(projections),
      temperature,
      [labels, positives],
      (first, count, [own, counts]) => {
        const compared = others(first, count);
        const share = tf.maximum(tf.slice(counts as tf.Tensor2D, [first, 0], [count, 1]), 1);
        return { compared, positives: tf.div(tf.mul(alike(own as tf.Tensor1D, first, count), compared), share) };
      },
    );
    const counted = tf.squeeze(tf.cast(tf.greater(positives, 0), 'float32'), [1]);
    const mean = countLonely ? rows : tf.maximum(tf.sum(counted), 1);
    return tf.div<tf.Scalar>(tf.sum(tf.mul(losses, counted)), mean);
  });
}

/** 1 if a row has the label of the anchor, as the anchor itself has; shape [count, M]. */
function alike(labels: tf.Tensor1D, first: number, count: number): tf.Tensor2D {
  return tf.cast(tf.equal(tf.expandDims(tf.slice(labels, first, count), 1), labels), 'float32');
}

/** How many positives every row has, shape [M, 1]. */
function positiveCounts(labels: tf.Tensor1D, others: (first: number, count: number) => tf.Tensor2D): tf.Tensor2D {
  const counts = blocks(labels.size).map(([first, count]) =>
    tf.tidy(() => tf.sum<tf.Tensor2D>(tf.mul(alike(labels, first, count), others(first, count)), 1, true)),
  );
  return tf.concat(counts);
}

function check(projections: tf.Tensor2D, labels: tf.Tensor1D): void {
  checkVectors('supCon', 'projections', projections);
  const [rows] = projections.shape;
  if (rows < 2) {
    throw argumentError({
      fn: 'supCon',
      argument: 'projections',
      required: 'have at least 2 rows',
      got: rows,
      advice: 'The loss compares the rows of a batch: use a larger batch.',
    });
  }
  if (labels.rank !== 1 || labels.size !== rows) {
    throw argumentError({
      fn: 'supCon',
      argument: 'labels',
      required: `have shape [${rows}], one label per row of projections`,
      got: labels.shape,
      advice: 'Repeat the labels of the images for every view.',
    });
  }
  if (labels.dtype !== 'int32') {
    throw argumentError({
      kind: 'type',
      fn: 'supCon',
      argument: 'labels',
      required: 'be int32',
      got: labels.dtype,
      shown: labels.dtype,
      advice: 'Cast the labels, or take the argmax of one-hot rows.',
    });
  }
}
