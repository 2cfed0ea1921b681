import * as tf from '@tensorflow/tfjs-core';
import { allFinite, type GradientScale } from '@tfjs-ssl/ops';
import type { NamedVariables } from './types.ts';

/** Constants of dynamic loss scaling, those of PyTorch's gradient scaler. */
const [FIRST_SCALE, GROWTH, BACKOFF, INTERVAL] = [2 ** 16, 2, 0.5, 2000];

/** What keeps small gradients within the range of float16: the loss is enlarged by a factor, which the update undoes. */
export interface LossScale {
  /** Saved with the run: the factor, the finite steps since it changed last, and the skipped steps of the run. */
  readonly variables: NamedVariables;
  /** Steps of the run that were skipped, those before this one. */
  readonly skippedSteps: tf.Scalar;
  /** The loss times the factor. */
  enlarge(loss: tf.Scalar): tf.Scalar;
  /** For the update: undoes the factor, and skips the step if a gradient has overflowed. */
  gradientScale(gradients: readonly tf.Tensor[]): GradientScale;
  /**
   * Ends a step: halves the factor after an overflow, doubles it after 2000 finite steps in a row.
   *
   * @returns [factor of this step, 1 if it was skipped, else 0], shape [2].
   */
  finish(scale: GradientScale): tf.Tensor1D;
}

/**
 * Dynamic loss scaling whose whole state is in variables, so that a step with it can be recorded, saved and resumed.
 *
 * @returns its variables start as those of a new run; the caller disposes them.
 * @see Micikevicius et al., "Mixed Precision Training" (2018), section 3.2; `torch.amp.GradScaler`.
 */
export function dynamicLossScale(): LossScale {
  const variable = (value: number): tf.Variable => tf.tidy(() => tf.variable(tf.scalar(value), false));
  const factor = variable(FIRST_SCALE);
  const finiteSteps = variable(0);
  const skippedSteps = variable(0);
  return {
    variables: { factor, finiteSteps, skippedSteps },
    skippedSteps: skippedSteps as tf.Variable<tf.Rank.R0>,
    enlarge: (loss) => tf.mul(loss, factor),
    gradientScale: (gradients) =>
      tf.tidy(() => tf.stack([tf.reciprocal(factor), allFinite(gradients)]) as GradientScale),
    finish: (scale) =>
      tf.tidy(() => {
        const applied = tf.reshape(tf.slice(scale, [1], [1]), []);
        const skipped = tf.sub(1, applied);
        const report = tf.stack([factor, skipped]) as tf.Tensor1D;
        const inARow = tf.mul(tf.add(finiteSteps, 1), applied);
        const grows = tf.cast(tf.greaterEqual(inARow, INTERVAL), 'float32');
        const afterFinite = tf.add(1, tf.mul(grows, GROWTH - 1));
        const change = tf.add(tf.mul(applied, afterFinite), tf.mul(skipped, BACKOFF));
        factor.assign(tf.mul(factor, change) as tf.Scalar);
        finiteSteps.assign(tf.mul(inARow, tf.sub(1, grows)) as tf.Scalar);
        skippedSteps.assign(tf.add(skippedSteps, skipped) as tf.Scalar);
        return report;
      }),
  };
}
