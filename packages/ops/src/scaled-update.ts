import * as tf from '@tensorflow/tfjs-core';
import type { GradientScale } from './contract/updates.ts';

/** The parts of a `GradientScale` for a composition; the caller's `tf.tidy` disposes them. */
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
