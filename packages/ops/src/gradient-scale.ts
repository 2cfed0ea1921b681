import { argumentError, showTensor } from '@tfjs-ssl/checks';
import * as tf from '@tensorflow/tfjs-core';

/**
 * A factor for gradients, and whether the update takes place: a tensor [factor, applies] of shape [2], float32.
 *
 * `factor` undoes the scale of a loss that was enlarged for float16. `applies` is 1, or 0 to skip the step: parameters and
 * slots then do not change, whatever the gradients are.
 */
export type GradientScale = tf.Tensor1D;

/** Throws unless the tensor is a {@link GradientScale} or absent. */
export function checkGradientScale(fn: string, scale: GradientScale | undefined): void {
  if (scale && (scale.size !== 2 || scale.dtype !== 'float32')) {
    throw argumentError({ fn, argument: 'gradientScale', required: 'be float32 of shape [2]', got: scale.shape, shown: showTensor(scale), advice: 'Pass [factor, 1 to apply or 0 to skip].' });
  }
}

/** The parts of a {@link GradientScale} for a composition; the caller's `tf.tidy` disposes them. */
export interface ScaledUpdate {
  /** The gradient times the factor. */
  scaled(gradient: tf.Tensor): tf.Tensor;
  /** Assigns a value if the update applies. */
  assign(variable: tf.Variable, value: tf.Tensor): void;
}

/** How a composition scales gradients and assigns values. */
export function scaledUpdate(scale: GradientScale | undefined): ScaledUpdate {
  if (!scale) return { scaled: (gradient) => gradient, assign: (variable, value) => variable.assign(value) };
  const [factor, applies] = tf.unstack(scale) as [tf.Scalar, tf.Scalar];
  const isApplied = tf.greater(applies, 0);
  return {
    scaled: (gradient) => tf.mul(gradient, factor),
    // A selection and no product: NaN times 0 is NaN.
    assign: (variable, value) => variable.assign(tf.where(isApplied, value, variable)),
  };
}
