import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import { rowCrossEntropy, unitRows } from '@tfjs-ssl/ops';
import { checkTemperature, checkVectors } from './check-arguments.ts';

/** Options of {@link infoNCE}. */
export interface InfoNCEOptions {
  /** Divisor of the cosine similarities, a finite number > 0; no unit. MoCo uses 0.07 to 0.2; CLIP learns it, down to 0.01. */
  readonly temperature: number;
  /** More negatives for every anchor, for example a queue of earlier keys; shape [Q, D], float32. Default: none. */
  readonly negatives?: tf.Tensor2D;
  /** Whether the candidates of other anchors are negatives. MoCo uses only the queue, so false. Default: true. */
  readonly inBatch?: boolean;
  /** Whether to average with the loss of the other direction, in which candidates look for their anchors, as CLIP does. Default: false. */
  readonly symmetric?: boolean;
  /** More negatives for every candidate in the other direction, shape [Q, D], float32. Default: none. */
  readonly candidateNegatives?: tf.Tensor2D;
}

/**
 * InfoNCE: the cross-entropy of finding each anchor's candidate among all candidates, as in CPC, MoCo and CLIP.
 *
 *     loss = mean_i -log( exp(a_i . c_i / temperature) / sum_j exp(a_i . c_j / temperature) ),    j over candidates and negatives,
 *
 * All rows are divided by their norms: a_i = anchors_i / max(|anchors_i|, 1e-12), and likewise for the others. The loss is one-sided: it does not compare anchors with
 * each other. The symmetric loss of two views, which does, is {@link ntXent}.
 *
 * The loss computes in float32 and subtracts the maximum before exponentials, so it is right for all finite rows. In mixed precision, the operands of the
 * products are rounded, like those of all products. Memory: the logits, N (M + Q) numbers.
 *
 * Gradients flow to all rows that depend on trained variables. Compute MoCo's keys outside of the loss function, or with variables that are not trained.
 *
 * @param anchors - shape [N, D], float32.
 * @param candidates - shape [M, D], float32, M >= N. Row i is the positive of anchor i; rows from N on are negatives of all anchors.
 * @param options - the temperature, more negatives, and whether to add the other direction.
 * @returns a scalar, float32, in nats; the caller disposes it.
 * @throws RangeError if shapes do not fit, the temperature is not a finite number > 0, or no negatives are left; TypeError for tensors that
 * are not float32.
 * @example
 * ```ts
 * import { infoNCE } from '@tfjs-ssl/losses';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const images = tf.randomNormal<tf.Rank.R2>([32, 64]);
 * const texts = tf.randomNormal<tf.Rank.R2>([32, 64]); // row i belongs to image i
 * const clip = infoNCE(images, texts, { temperature: 0.07, symmetric: true });
 *
 * const queue = tf.randomNormal<tf.Rank.R2>([256, 64]); // keys of earlier steps
 * const moco = infoNCE(images, texts, { temperature: 0.2, negatives: queue, inBatch: false });
 * console.log(await clip.array(), await moco.array());
 * ```
 * @see van den Oord et al. 2018, "Representation Learning with Contrastive Predictive Coding", eq. 4; He et al. 2020, "Momentum Contrast", eq. 1;
 * Radford et al. 2021, "Learning Transferable Visual Models From Natural Language Supervision", figure 3.
 */
export function infoNCE(anchors: tf.Tensor2D, candidates: tf.Tensor2D, options: InfoNCEOptions): tf.Scalar {
  check(anchors, candidates, options);
  const { temperature, negatives, inBatch = true, symmetric = false, candidateNegatives } = options;
  return tf.tidy(() => {
    const [a, c] = [unitRows(anchors), unitRows(candidates)];
    const loss = oneWay(a, c, negatives, temperature, inBatch);
    if (!symmetric) return loss;
    return tf.mul(tf.add(loss, oneWay(c, a, candidateNegatives, temperature, inBatch)), 0.5) as tf.Scalar;
  });
}

/** The loss of unit anchors among unit candidates. */
function oneWay(
  anchors: tf.Tensor2D,
  candidates: tf.Tensor2D,
  negatives: tf.Tensor2D | undefined,
  temperature: number,
  inBatch: boolean,
): tf.Scalar {
  const [rows] = anchors.shape;
  const positives = tf.slice(candidates, 0, rows);
  const others = inBatch ? [candidates] : rows < candidates.shape[0] ? [tf.slice(candidates, rows)] : [];
  const compared = [...others, ...(negatives ? [unitRows(negatives)] : [])];
  const cosines = compared.map((with_) => tf.matMul(anchors, with_, false, true));
  if (!inBatch) cosines.unshift(tf.sum(tf.mul(anchors, positives), 1, true) as tf.Tensor2D);
  const logits = tf.mul(cosines.length > 1 ? tf.concat(cosines, 1) : (cosines[0] as tf.Tensor2D), 1 / temperature);
  const places = Int32Array.from({ length: rows }, (_, row) => (inBatch ? row : 0));
  const targets = tf.oneHot(tf.tensor1d(places, 'int32'), logits.shape[1] as number, 1, 0, 'float32');
  return rowCrossEntropy(logits as tf.Tensor2D, targets as tf.Tensor2D);
}

function check(anchors: tf.Tensor2D, candidates: tf.Tensor2D, options: InfoNCEOptions): void {
  const { temperature, negatives, inBatch = true, symmetric = false, candidateNegatives } = options;
  checkTemperature('infoNCE', temperature);
  checkVectors('infoNCE', 'anchors', anchors);
  const [rows, columns] = anchors.shape;
  checkVectors('infoNCE', 'candidates', candidates, columns);
  if (negatives) checkVectors('infoNCE', 'negatives', negatives, columns);
  if (candidateNegatives) checkVectors('infoNCE', 'candidateNegatives', candidateNegatives, columns);
  const count = candidates.shape[0];
  if (count < rows || (symmetric && count !== rows)) {
    throw argumentError({
      fn: 'infoNCE',
      argument: 'candidates',
      required: `have ${symmetric ? 'as many rows as anchors' : 'at least as many rows as anchors'}, ${rows}`,
      got: count,
      advice: 'Row i is the positive of anchor i; pass other vectors as negatives.',
    });
  }
  if (candidateNegatives && !symmetric) {
    throw argumentError({
      fn: 'infoNCE',
      argument: 'candidateNegatives',
      required: 'come with symmetric: true',
      got: symmetric,
      advice: 'Set symmetric, which adds the direction that they are for, or pass them as negatives.',
    });
  }
  const alone = inBatch && count === 1 && (!negatives || (symmetric && !candidateNegatives));
  if (alone) {
    throw argumentError({
      fn: 'infoNCE',
      argument: 'candidates',
      required: 'have at least 2 rows if there are no other negatives',
      got: count,
      advice: 'Each anchor is compared with the candidates of others: use a larger batch, or pass a queue.',
    });
  }
  if (!inBatch && ((!negatives && count === rows) || (symmetric && !candidateNegatives))) {
    throw argumentError({
      fn: 'infoNCE',
      argument: `${symmetric ? 'negatives and candidateNegatives' : 'negatives'}`,
      required: 'be given if inBatch is false',
      got: undefined,
      shown: 'none',
      advice: 'Pass the queue.',
    });
  }
}
