import * as tf from '@tensorflow/tfjs-core';

/** Elements of a block of logits, 4 MB; a block has at least {@link LEAST_ROWS} anchors. */
const BLOCK = 2 ** 20;
const LEAST_ROWS = 64;

/** Some anchors beside all rows; matrices are of shape [count, M]. */
interface ComparedBlock {
  /** 1 if an anchor is compared with a row, else 0; float32. An anchor is not compared with itself, and every row has a 1. */
  readonly compared: tf.Tensor2D;
  /** Weights of every anchor's positives, float32. */
  readonly positives: tf.Tensor2D;
}

/** Makes the block of anchors `first` to `first + count - 1` from the tensors that belong to the loss. */
export type MakeBlock = (first: number, count: number, tensors: readonly tf.Tensor[]) => ComparedBlock;

/**
 * Contrastive losses of all rows against all rows, in blocks of anchors, with a closed-form gradient.
 *
 *     l_i = log sum_{j compared with i} exp(u_i . u_j / temperature) - sum_j positives_ij u_i . u_j / temperature
 *
 * The maximum is removed before exponentials. Each block of logits is formed twice, for the loss and for its gradient, and is gone before the
 * next. Memory therefore grows with the rows and not with their square: it is at least 64 rows of logits, or 4 MB if there are few rows.
 *
 * @param unit - u, shape [M, D], float32, unit rows.
 * @param temperature - divisor of the similarities.
 * @param tensors - what `makeBlock` needs; constants to the tape.
 * @param makeBlock - which rows are compared and which are positives.
 * @returns l, shape [M], float32; the caller disposes it.
 */
export function comparedRows(
  unit: tf.Tensor2D,
  temperature: number,
  tensors: readonly tf.Tensor[],
  makeBlock: MakeBlock,
): tf.Tensor1D {
  const run = tf.customGrad((x, save) => {
    (save as tf.GradSaveFunc)([x as tf.Tensor, ...tensors]);
    return {
      value: forward(x as tf.Tensor2D, temperature, tensors, makeBlock),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [own, ...kept] = saved as [tf.Tensor2D, ...tf.Tensor[]];
        return backward(dy as tf.Tensor1D, own, temperature, kept, makeBlock);
      },
    };
  });
  return run(unit) as tf.Tensor1D;
}

/** First anchor and number of anchors of every block. */
export function blocks(rows: number): Array<readonly [first: number, count: number]> {
  const size = Math.max(LEAST_ROWS, Math.floor(BLOCK / rows));
  return Array.from({ length: Math.ceil(rows / size) }, (_, i) => [i * size, Math.min(size, rows - i * size)] as const);
}

/** A block of the matrix of all pairs: 1 in the column that `partner` gives for the anchor, 0 elsewhere. */
export function oneOf(first: number, count: number, rows: number, partner: (row: number) => number): tf.Tensor2D {
  const columns = Int32Array.from({ length: count }, (_, i) => partner(first + i));
  return tf.oneHot(tf.tensor1d(columns, 'int32'), rows, 1, 0, 'float32') as tf.Tensor2D;
}

/** Logits minus the largest compared logit, their exponentials (0 if not compared), and the sums of each row. */
function softmaxParts(unit: tf.Tensor2D, temperature: number, first: number, compared: tf.Tensor2D) {
  const anchors = tf.slice(unit, first, compared.shape[0]);
  const logits = tf.mul(tf.matMul(anchors, unit, false, true), 1 / temperature);
  const absent = Math.min(-1e9, -4 / temperature);
  const largest = tf.max(tf.add(tf.mul(logits, compared), tf.mul(tf.sub(1, compared), absent)), 1, true);
  const shifted = tf.sub(logits, largest);
  // What is not compared may lie far above the largest: it is taken down before the exponential.
  const exponentials = tf.mul(tf.exp(tf.minimum(shifted, 0)), compared);
  return { anchors, largest, shifted, exponentials, sums: tf.sum(exponentials, 1, true) };
}

function forward(unit: tf.Tensor2D, temperature: number, tensors: readonly tf.Tensor[], makeBlock: MakeBlock) {
  const losses = blocks(unit.shape[0]).map(([first, count]) =>
    tf.tidy(() => {
      const { compared, positives } = makeBlock(first, count, tensors);
      const { largest, shifted, sums } = softmaxParts(unit, temperature, first, compared);
      const ofPositives = tf.sum(tf.mul(shifted, positives), 1, true);
      // Weights of 1 in all leave nothing of the maximum.
      const rest = tf.mul(largest, tf.sub(1, tf.sum(positives, 1, true)));
      return tf.squeeze<tf.Tensor1D>(tf.add(tf.sub(tf.log(sums), ofPositives), rest), [1]);
    }),
  );
  return tf.concat(losses) as tf.Tensor1D;
}

/** With G_ij = dl_i (softmax_ij - positives_ij) / temperature: dU = (G + G^T) U. */
function backward(
  dy: tf.Tensor1D,
  unit: tf.Tensor2D,
  temperature: number,
  tensors: readonly tf.Tensor[],
  makeBlock: MakeBlock,
): tf.Tensor2D {
  return tf.tidy(() => {
    const ofAnchors: tf.Tensor2D[] = [];
    let ofOthers: tf.Tensor2D | undefined;
    for (const [first, count] of blocks(unit.shape[0])) {
      const [own, others] = tf.tidy(() => {
        const { compared, positives } = makeBlock(first, count, tensors);
        const { anchors, exponentials, sums } = softmaxParts(unit, temperature, first, compared);
        const weights = tf.div(tf.expandDims(tf.slice(dy, first, count), 1), temperature);
        const ofLogits = tf.mul(tf.sub(tf.div(exponentials, sums), positives), weights) as tf.Tensor2D;
        return [tf.matMul(ofLogits, unit), tf.matMul(ofLogits, anchors, true)] as [tf.Tensor2D, tf.Tensor2D];
      });
      ofAnchors.push(own);
      const sum: tf.Tensor2D = ofOthers ? tf.add(ofOthers, others) : others;
      if (ofOthers) tf.dispose([ofOthers, others]);
      ofOthers = sum;
    }
    return tf.add(tf.concat(ofAnchors), ofOthers as tf.Tensor2D) as tf.Tensor2D;
  });
}
