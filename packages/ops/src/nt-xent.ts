import * as tf from '@tensorflow/tfjs-core';
import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { hasKernel } from './contract/has-kernel.ts';
import { runKernel } from './contract/run-kernel.ts';
import { pairLogits, pairRanks, positivePairs } from './pair-logits.ts';
import { rowCrossEntropy } from './row-cross-entropy.ts';

/** Options of {@link ntXentWithRanks}. */
export interface NtXentOptions {
  /** Divisor of the cosine similarities, a finite number above 0. */
  readonly temperature: number;
}

/** What {@link ntXentWithRanks} returns. */
export interface NtXentResult {
  /** Mean cross-entropy over all 2N anchors, in nats; shape [], float32. */
  readonly loss: tf.Scalar;
  /** For each anchor, how many negatives have a greater logit than its positive; shape [2N], float32, without a gradient. */
  readonly ranks: tf.Tensor1D;
}

/**
 * Computes SimCLR's contrastive loss for a batch of pairs, and the rank of every positive.
 *
 *     logits_ij = u_i . u_j / temperature,    u_i = z_i / max(|z_i|, 1e-12),    p(i) = (i + N) mod 2N
 *     loss = mean_i ( log sum_{j != i} exp(logits_ij) - logits_i,p(i) )
 *     ranks_i = #{ j != i, p(i) : logits_ij > logits_i,p(i) }
 *
 * Ties count in favour of the positive. A row with a NaN among its logits gets rank 2N. The top-k accuracy of the pretext task is the mean of
 * `ranks < k`. Gradients flow through `loss` and are finite everywhere.
 *
 * For engines: the kernels are `NTXent` and `NTXentGrad` (see `OpKernels`).
 *
 * @param projections - z, shape [2N, D], float32; rows i and i + N are a pair.
 * @param options - the temperature.
 * @returns two new tensors, which the caller (or the surrounding `tf.tidy`) disposes.
 * @throws RangeError if the shape or the temperature does not fit.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { ntXentWithRanks } from '@tfjs-ssl/ops';
 *
 * await startEngine('auto');
 * const projections = tf.tensor2d([[1, 0], [0, 1], [2, 0], [0, 3]]); // two images, two views
 * const { loss, ranks } = ntXentWithRanks(projections, { temperature: 0.5 });
 * console.log(await loss.array(), await ranks.data()); // log(e^2 + 2) - 2 = 0.2395, [0, 0, 0, 0]
 * ```
 *
 * @see van den Oord et al. 2018, "Representation Learning with Contrastive Predictive Coding", eq. 4; Chen et al. 2020, "A Simple
 * Framework for Contrastive Learning of Visual Representations", eq. 1.
 */
export function ntXentWithRanks(projections: tf.Tensor2D, { temperature }: NtXentOptions): NtXentResult {
  const [rows, columns] = projections.shape;
  if (projections.rank !== 2 || rows < 2 || rows % 2 !== 0 || columns < 1) {
    throw argumentError({
      fn: 'ntXentWithRanks',
      argument: 'projections',
      required: 'have shape [2N, D]',
      got: projections.shape,
      advice: 'Concatenate the two views of every image.',
    });
  }
  checkNumber('ntXentWithRanks', 'temperature', temperature, { above: 0 }, 'Usual values lie between 0.05 and 1.');
  return hasKernel('NTXent') ? fused(projections, temperature) : composed(projections, temperature);
}

function fused(projections: tf.Tensor2D, temperature: number): NtXentResult {
  let held: tf.Tensor1D | undefined;
  const run = tf.customGrad((z, save) => {
    const inputs = { projections: z as tf.Tensor };
    const [loss, ranks, ...kept] = runKernel('NTXent', inputs, { temperature });
    // A custom gradient has one result; the ranks leave through the closure.
    held = tf.keep(ranks);
    (save as tf.GradSaveFunc)([z as tf.Tensor, ...kept]);
    return {
      value: loss,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const names = ['projections', 'logSums', 'units', 'divisors'];
        const tensors = Object.fromEntries(saved.map((tensor, place) => [names[place], tensor]));
        return runKernel('NTXentGrad', { dy, ...tensors }, { temperature });
      },
    };
  });
  const loss = run(projections) as tf.Scalar;
  const own = held as tf.Tensor1D;
  const ranks = tf.clone(own); // belongs to the caller's scope, which the kept tensor does not
  own.dispose();
  return { loss, ranks };
}

function composed(projections: tf.Tensor2D, temperature: number): NtXentResult {
  return tf.tidy(() => {
    const logits = pairLogits(projections, temperature);
    return { loss: rowCrossEntropy(logits, positivePairs(projections.shape[0])), ranks: pairRanks(logits) };
  });
}
