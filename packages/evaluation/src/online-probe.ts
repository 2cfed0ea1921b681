import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { linear, type TypedModel, typedModel } from '@tfjs-ssl/layers';
import { rowCrossEntropy, stopGradient } from '@tfjs-ssl/ops';
import { checkFeatures } from './check-arguments.ts';

/** Options of {@link onlineProbe}. */
export interface OnlineProbeOptions {
  /** Number of features, an integer >= 1. */
  readonly inputSize: number;
  /** Number of classes, an integer >= 2. */
  readonly classes: number;
  /** Seed of the initial weights. Default 0. */
  readonly seed?: number | string;
  /** Name of the model. Default `'probe'`. */
  readonly name?: string;
}

/** A linear classifier that trains beside a method: see {@link onlineProbe}. */
export interface OnlineProbe {
  /** The classifier, from features to logits; name its weights with the others: `namedWeights({ encoder, head, probe: probe.model })`. */
  readonly model: TypedModel;
  /**
   * Its loss and accuracy on a batch.
   *
   * @param features - shape [V N, inputSize], float32, view after view; no gradient flows to them.
   * @param labels - classes of the N images in [0, classes), shape [N], int32.
   * @returns the mean cross-entropy in nats, to be added to the method's loss, and the share of rows that are right, a constant to the
   * gradient; scalars, float32. A label that is out of range makes the loss NaN, so that the trainer stops.
   * @throws RangeError if shapes do not fit; TypeError if labels are not int32.
   */
  evaluate(features: tf.Tensor2D, labels: tf.Tensor1D): { loss: tf.Scalar; accuracy: tf.Scalar };
}

/**
 * A linear probe trained in passing: it says during a training how well classes can be told apart, and does not influence the encoder.
 *
 * Gradients of its loss stop at the features, so the sum of both losses trains each part by its own. It shares the method's optimizer and,
 * if there is one, the norm of `clipNorm`. Its accuracy is of augmented views in training mode: compare runs by it, and report
 * `probeEvaluate`.
 *
 * @param options - sizes, seed and name.
 * @returns the probe; dispose its model.
 * @throws RangeError if a number is out of range.
 * @example
 * ```ts
 * import { onlineProbe } from '@tfjs-ssl/evaluation';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const probe = onlineProbe({ inputSize: 16, classes: 3 });
 * const features = tf.randomNormal<tf.Rank.R2>([8, 16]); // of two views of four images
 * const { loss, accuracy } = probe.evaluate(features, tf.tensor1d([0, 2, 1, 1], 'int32'));
 * console.log(await loss.array(), await accuracy.array());
 * // in a trainer's loss: return { loss: tf.add(ownLoss, loss), metrics: { accuracy } };
 * ```
 * @see Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations", appendix B.9; lightly's
 * `OnlineLinearClassifier`.
 */
export function onlineProbe(options: OnlineProbeOptions): OnlineProbe {
  const { inputSize, classes, seed = 0, name = 'probe' } = options;
  checkNumber('onlineProbe', 'inputSize', inputSize, { min: 1, integer: true }, 'It is a number of features.');
  checkNumber('onlineProbe', 'classes', classes, { min: 2, integer: true }, 'Count the classes of the labels.');
  const features = tfl.input({ shape: [inputSize], name: `${name}.features` });
  const logits = linear({ units: classes, seed, name: 'fc' }).apply(features);
  const model = typedModel(tfl.model({ inputs: features, outputs: logits, name }), 2);
  return {
    model,
    evaluate(rows, labels) {
      checkFeatures('onlineProbe', 'features', rows);
      const views = rows.shape[0] / labels.size;
      checkLabelTensor(labels, rows.shape[0]);
      return tf.tidy(() => {
        const own = model.apply(stopGradient(() => rows));
        const ofRows = tf.tile(labels, [views]);
        const hits = tf.oneHot(ofRows, classes, 1, 0, 'float32');
        // A row of no class, 0 / 0, is NaN.
        const targets = tf.div<tf.Tensor2D>(hits, tf.sum(hits, 1, true));
        const right = () => tf.mean(tf.cast(tf.equal(tf.argMax(own, 1), ofRows), 'float32')) as tf.Scalar;
        return { loss: rowCrossEntropy(own, targets), accuracy: stopGradient(right) };
      });
    },
  };
}

function checkLabelTensor(labels: tf.Tensor1D, rows: number): void {
  const fault = { fn: 'onlineProbe', argument: 'labels' };
  if (labels.dtype !== 'int32') {
    const advice = 'Cast them, or make the feed with labels: true.';
    throw argumentError({ ...fault, kind: 'type', required: 'be int32', got: labels, shown: labels.dtype, advice });
  }
  if (labels.rank !== 1 || labels.size === 0 || rows % labels.size !== 0) {
    throw argumentError({
      ...fault,
      required: `be a vector, one label per image, of which features have one row per view, ${rows} in all`,
      got: labels.shape,
      advice: 'Concatenate the views, first all of view 0.',
    });
  }
}
