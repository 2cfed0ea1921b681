import * as tf from '@tensorflow/tfjs-core';
import { checkNumber } from '@tfjs-ssl/checks';
import { checkVectors } from './check-arguments.ts';

/** Options of {@link sinkhorn}. */
export interface SinkhornOptions {
  /** Divisor of the scores, > 0: a small one assigns hard, and needs more iterations. Default 0.05. */
  readonly epsilon?: number;
  /** Rounds of normalising prototypes, then samples, an integer >= 1. Default 3. */
  readonly iterations?: number;
}

/**
 * Assignments of samples to prototypes that use all prototypes alike: SwAV's codes, by the algorithm of Sinkhorn and Knopp.
 *
 *     Q = exp(scores / epsilon); then, `iterations` times: columns of Q over K times their sums, rows of Q over B times theirs; the result is B Q
 *
 * so that every row sums to 1 and, the more iterations there are, every column to B / K. Computed with logarithms of Q: right for all finite scores and every
 * epsilon, where exponentials alone overflow at scores / epsilon of 88 and give 0 / 0 for a row or column far below the largest.
 *
 * Codes are of one view: call it for every view. With a queue, as SwAV has it for small batches, concatenate the view's scores and the queue's, and keep the first rows.
 *
 * @param scores - shape [B, K], float32: cosines of B samples with K prototypes.
 * @param options - epsilon and the number of iterations.
 * @returns shape [B, K], float32, a constant to the tape; the caller disposes it.
 * @throws RangeError if the rank is not 2 or a number is out of range; TypeError if the scores are not float32.
 * @example
 * ```ts
 * import { sinkhorn } from '@tfjs-ssl/losses';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const scores = tf.tensor2d([[0.9, 0.1], [0.8, 0.1]]); // both samples are nearer to prototype 0
 * console.log(await sinkhorn(scores).array()); // yet the first has more of it: about [0.73, 0.27] and [0.27, 0.73]
 * ```
 * @see Caron et al. 2020, "Unsupervised Learning of Visual Features by Contrasting Cluster Assignments", eq. 3 to 5 and appendix A. Equals `distributed_sinkhorn` of
 * facebookresearch/swav, lightly's `sinkhorn` and solo-learn's `SinkhornKnopp` wherever these do not overflow.
 */
export function sinkhorn(scores: tf.Tensor2D, options: SinkhornOptions = {}): tf.Tensor2D {
  const { epsilon = 0.05, iterations = 3 } = options;
  checkVectors('sinkhorn', 'scores', scores);
  checkNumber('sinkhorn', 'epsilon', epsilon, { above: 0 }, 'SwAV takes 0.05.');
  checkNumber('sinkhorn', 'iterations', iterations, { min: 1, integer: true }, 'SwAV takes 3.');
  const run = tf.customGrad((x) => ({
    value: assign(x as tf.Tensor2D, epsilon, iterations),
    gradFunc: (dy: tf.Tensor) => tf.zerosLike(dy),
  }));
  return run(scores) as tf.Tensor2D;
}

function assign(scores: tf.Tensor2D, epsilon: number, iterations: number): tf.Tensor2D {
  // Factors of the whole of Q (K, B, its sum) are left out: they change no share, and rows sum to 1 in the end.
  let logs: tf.Tensor = tf.div(scores, epsilon);
  for (let i = 0; i < iterations; i++) {
    const before = logs;
    logs = tf.tidy(() => {
      const balanced = tf.sub(before, tf.logSumExp(before, 0, true));
      return tf.sub(balanced, tf.logSumExp(balanced, 1, true));
    });
    before.dispose();
  }
  return tf.exp(logs) as tf.Tensor2D;
}
