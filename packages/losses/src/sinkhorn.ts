import * as tf from '@tensorflow/tfjs-core';
import { checkNumber } from '@tfjs-ssl/checks';
import { checkVectors } from './check-arguments.ts';

/** Options of {@link sinkhorn}. */
export interface SinkhornOptions {
  /** Divisor of the scores, > 0. A small value makes harder assignments and needs more iterations. Default 0.05. */
  readonly epsilon?: number;
  /** Number of iterations, each of which normalises prototypes and then samples; an integer >= 1. Default 3. */
  readonly iterations?: number;
}

/**
 * Assigns samples to prototypes so that all prototypes are used equally. These are SwAV's codes, computed with the algorithm of Sinkhorn and Knopp.
 *
 *     Q = exp(scores / epsilon)
 *     repeat `iterations` times: divide each column of Q by K times its sum, then each row by B times its sum
 *     result = B Q
 *
 * Every row of the result sums to 1. With more iterations, the sum of every column approaches B / K.
 *
 * Call the function once for each view. For small batches, SwAV adds a queue: concatenate the scores of the view and those of the queue, and keep the first rows of the result.
 *
 * The function computes with logarithms, so it is right for all finite scores and every epsilon. Plain exponentials overflow if scores / epsilon reaches 88, and give 0 / 0 for a row or
 * column that is far below the largest.
 *
 * @param scores - shape [B, K], float32: cosines of B samples with K prototypes.
 * @param options - epsilon and the number of iterations.
 * @returns shape [B, K], float32, without a gradient; the caller disposes it.
 * @throws RangeError if the rank is not 2 or a number is out of range; TypeError if the scores are not float32.
 * @example
 * ```ts
 * import { sinkhorn } from '@tfjs-ssl/losses';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const scores = tf.tensor2d([[0.9, 0.1], [0.8, 0.1]]); // both samples are nearer to prototype 0
 * console.log(await sinkhorn(scores).array()); // about [0.73, 0.27] and [0.27, 0.73]: the second sample has to use prototype 1
 * ```
 * @see Caron et al. 2020, "Unsupervised Learning of Visual Features by Contrasting Cluster Assignments", eq. 3 to 5 and appendix A. It equals `distributed_sinkhorn` of
 * facebookresearch/swav, lightly's `sinkhorn` and solo-learn's `SinkhornKnopp`, as long as these do not overflow.
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
  // Factors common to all of Q (K, B, its sum) are left out: they change no share, and rows sum to 1 in the end.
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
