import * as tf from '@tensorflow/tfjs-core';
import { checkNumber } from '@tfjs-ssl/checks';
import { checkFeatures, checkFinite, checkLabels, checkSeveralClasses } from './check-arguments.ts';
import { minimize } from './minimize.ts';
import { columnMoments, evaluateSoftmax } from './softmax-objective.ts';

/** Options of {@link linearProbe}. */
export interface LinearProbeOptions {
  /** Features of the training images, shape [rows, D], float32. */
  readonly features: tf.Tensor2D;
  /** Label of each row, integers in [0, classes). */
  readonly labels: ArrayLike<number>;
  /** Number of classes, an integer >= 2. */
  readonly classes: number;
  /** Strength of the L2 penalty on the weights, > 0. scikit-learn's `C` is 1 / (rows lambda). */
  readonly lambda: number;
  /** Largest number of iterations, an integer >= 1. Default: 1000. */
  readonly maxIterations?: number;
  /** Stop if the norm of the gradient (per weight, in units of its column's standard deviation) is at most this, > 0. Default: 1e-5. */
  readonly tolerance?: number;
  /** Called after every iteration. */
  readonly onProgress?: (progress: { iteration: number; loss: number; gradientNorm: number }) => void;
}

/** A trained linear classifier: logits = features weights^T + bias. */
export interface LinearClassifier {
  /** Shape [classes, D], float32. */
  readonly weights: tf.Tensor2D;
  /** Shape [classes], float32. */
  readonly bias: tf.Tensor1D;
}

/** What {@link linearProbe} returns. */
export interface LinearProbe extends LinearClassifier {
  /** The minimised value: mean cross-entropy in nats plus the penalty. */
  readonly loss: number;
  readonly iterations: number;
  /** Norm of the gradient at the end, in the units of `tolerance`. */
  readonly gradientNorm: number;
  /** Whether that norm is within the tolerance. If not, the probe stopped at `maxIterations` or at the resolution of float32. */
  readonly converged: boolean;
}

/** Relative error of the mean cross-entropy, computed row by row in float32. */
const FLOAT32_NOISE = 2e-7;

/**
 * Trains a linear classifier on frozen features to the optimum of softmax regression with an L2 penalty.
 *
 *     minimise over W, b:  mean_i CrossEntropy(W x_i + b, y_i) + lambda / 2 |W|^2
 *
 * The bias is not penalised and has mean 0. The problem is convex, so the result is the optimum itself. It depends on no training recipe, and there is no learning rate
 * to tune.
 *
 * The solver is full-batch L-BFGS in double precision; the engine computes the matrix products. It centres and scales the columns internally, which changes the path but not
 * the optimum. An iteration usually costs two products of rows x D x classes.
 *
 * @param options - features, labels, classes, lambda.
 * @returns weights and bias (tensors that the caller disposes), the loss, and how the solver stopped.
 * @throws RangeError if shapes or labels do not fit, a number is outside its range, or a feature is not finite.
 * @example
 * ```ts
 * import { linearProbe, probeAccuracy } from '@tfjs-ssl/evaluation';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const features = tf.tensor2d([[0, 1], [1, 3], [4, 0], [5, 1]]);
 * const labels = [0, 0, 1, 1];
 * const probe = await linearProbe({ features, labels, classes: 2, lambda: 1e-3 });
 * console.log(probe.loss, await probeAccuracy({ probe, features, labels })); // below 0.1, 1
 * ```
 * @see Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations", appendix B.8, for the protocol.
 */
export async function linearProbe(options: LinearProbeOptions): Promise<LinearProbe> {
  const { features, labels, classes, lambda, maxIterations = 1000, tolerance = 1e-5, onProgress } = options;
  checkFeatures('linearProbe', 'features', features);
  checkNumber('linearProbe', 'classes', classes, { min: 2, integer: true }, 'With one class every answer is right.');
  checkLabels('linearProbe', 'labels', labels, features.shape[0], classes);
  checkSeveralClasses('linearProbe', 'labels', labels);
  const advice = 'It has no default, as it depends on the features: try 1e-4, 1e-3 and 1e-2 on held-out images.';
  checkNumber('linearProbe', 'lambda', lambda, { above: 0 }, advice);
  checkNumber('linearProbe', 'maxIterations', maxIterations, { min: 1, integer: true }, 'Leave it out for 1000.');
  checkNumber('linearProbe', 'tolerance', tolerance, { above: 0 }, 'Leave it out for 1e-5.');
  await checkFinite('linearProbe', 'features', features);

  const columns = features.shape[1];
  const size = classes * columns;
  const { mean, variance } = await columnMoments(features);
  // The Hessian's diagonal at W = 0: its root is the unit of each weight, so that no direction is far steeper than others.
  const curvature = (classes - 1) / classes ** 2;
  const weightUnits = variance.map((value) => Math.sqrt(curvature * value + lambda));
  const biasUnit = Math.sqrt(curvature);

  /** From the scaled variables to the weights and the bias of centred features. */
  const unpack = (point: Float64Array) => ({
    weights: point.slice(0, size).map((value, i) => value / (weightUnits[i % columns] as number)),
    bias: point.slice(size).map((value) => value / biasUnit),
  });
  const center = tf.tensor1d(mean);
  const labelTensor = tf.tensor1d(Int32Array.from(labels), 'int32');
  const minimum = await minimize(
    async (point) => {
      const { weights, bias } = unpack(point);
      const evaluation = await evaluateSoftmax(features, center, labelTensor, weights, bias);
      const { meanCrossEntropy, weightGradient, biasGradient } = evaluation;
      const gradient = new Float64Array(point.length);
      for (let i = 0; i < size; i++) {
        const penalised = (weightGradient[i] as number) + lambda * (weights[i] as number);
        gradient[i] = penalised / (weightUnits[i % columns] as number);
      }
      for (let label = 0; label < classes; label++) gradient[size + label] = (biasGradient[label] as number) / biasUnit;
      const squares = weights.reduce((sum, weight) => sum + weight * weight, 0);
      return { value: meanCrossEntropy + (lambda / 2) * squares, gradient };
    },
    new Float64Array(size + classes),
    {
      tolerance,
      maxIterations,
      noise: FLOAT32_NOISE,
      onIteration: onProgress && (({ value, ...rest }) => onProgress({ ...rest, loss: value })),
    },
  );
  tf.dispose([labelTensor, center]);
  const { weights, bias } = unpack(minimum.point);
  // Back to features as they are: the same logits need W mean less of bias; then the level, which no logit difference depends on.
  weights.forEach((weight, i) => {
    const label = Math.floor(i / columns);
    bias[label] = (bias[label] as number) - weight * (mean[i % columns] as number);
  });
  const level = bias.reduce((sum, value) => sum + value, 0) / classes;
  return {
    weights: tf.tensor2d(Float32Array.from(weights), [classes, columns]),
    bias: tf.tensor1d(Float32Array.from(bias, (value) => value - level)),
    loss: minimum.value,
    iterations: minimum.iterations,
    gradientNorm: minimum.gradientNorm,
    converged: minimum.converged,
  };
}
