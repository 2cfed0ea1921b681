import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import { checkFeatures, checkFinite, checkLabels } from './check-arguments.ts';
import type { LinearClassifier } from './linear-probe.ts';
import { type ClassificationResult, RankTally } from './rank-tally.ts';
import { forBlocks } from './softmax-objective.ts';

/** Options of {@link probeEvaluate}. */
export interface ProbeEvaluateOptions {
  /** A linear classifier, for example from `linearProbe`. */
  readonly probe: LinearClassifier;
  /** Shape [rows, D], float32. */
  readonly features: tf.Tensor2D;
  /** Label of each row, integers in [0, classes). */
  readonly labels: ArrayLike<number>;
}

/**
 * Computes the top-1 and top-5 accuracy of a linear classifier, and its predictions. If logits are equal, the smallest class counts.
 *
 * @param options - see {@link ProbeEvaluateOptions}.
 * @returns fractions from 0 to 1, and the predicted class of each row; no tensors.
 * @throws RangeError if shapes or labels do not fit, or a feature is not finite.
 * @example
 * ```ts
 * import { probeEvaluate } from '@tfjs-ssl/evaluation';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const probe = { weights: tf.tensor2d([[1, 0], [0, 1]]), bias: tf.tensor1d([0, 0]) };
 * const features = tf.tensor2d([[3, 1], [1, 2]]);
 * const { top1, top5 } = await probeEvaluate({ probe, features, labels: [0, 0] });
 * console.log(top1, top5); // 0.5 1
 * ```
 */
export async function probeEvaluate(options: ProbeEvaluateOptions): Promise<ClassificationResult> {
  return evaluateProbe('probeEvaluate', options);
}

async function evaluateProbe(
  fn: string,
  { probe, features, labels }: ProbeEvaluateOptions,
): Promise<ClassificationResult> {
  checkFeatures(fn, 'features', features);
  const [classes, columns] = probe.weights.shape;
  if (features.shape[1] !== columns) {
    throw argumentError({
      fn,
      argument: 'features',
      required: `have the probe's ${columns} columns`,
      got: features.shape[1],
      advice: 'Use the encoder that the probe was trained on.',
    });
  }
  checkLabels(fn, 'labels', labels, features.shape[0], classes);
  await checkFinite(fn, 'features', features);
  const tally = new RankTally(labels);
  await forBlocks(features.shape[0], async (start, count) => {
    const logits = tf.tidy(() => {
      const block = tf.slice(features, [start, 0], [count, columns]);
      return tf.add(tf.matMul(block, probe.weights, false, true), probe.bias);
    });
    const values = await logits.data<'float32'>();
    logits.dispose();
    for (let i = 0; i < count; i++) tally.add(start + i, values.subarray(i * classes, (i + 1) * classes));
  });
  return tally.result();
}

/**
 * Computes the fraction of rows for which a linear classifier predicts the right label. If logits are equal, the smallest class counts.
 *
 * @param options - `probe`: from {@link linearProbe}; `features`: shape [rows, D], float32; `labels`: one per row.
 * @returns a fraction from 0 to 1.
 * @throws RangeError if shapes or labels do not fit.
 * @example
 * ```ts
 * import { probeAccuracy } from '@tfjs-ssl/evaluation';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const probe = { weights: tf.tensor2d([[1, 0], [0, 1]]), bias: tf.tensor1d([0, 0]) };
 * const features = tf.tensor2d([[3, 1], [1, 2]]);
 * console.log(await probeAccuracy({ probe, features, labels: [0, 0] })); // 0.5
 * ```
 */
export async function probeAccuracy(options: ProbeEvaluateOptions): Promise<number> {
  return (await evaluateProbe('probeAccuracy', options)).top1;
}
