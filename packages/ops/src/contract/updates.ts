import type * as tf from '@tensorflow/tfjs-core';
import { argumentError, showTensor } from '@tfjs-ssl/checks';

/** Constants of `adamUpdate`. */
export interface AdamUpdateOptions {
  /** Decay of the first moment, in [0, 1). */
  readonly beta1: number;
  /** Decay of the second moment, in [0, 1). */
  readonly beta2: number;
  /** Added to the square root of the second moment. */
  readonly epsilon: number;
  /** Strength of the weight decay. */
  readonly weightDecay: number;
  /** Whether the decay acts on the parameters directly (AdamW) instead of through the gradients (L2). */
  readonly decoupled: boolean;
}

/** The three published variants of LARS. They differ in where learning rate and trust ratio enter; see `momentumUpdate`. */
export type MomentumFlavour = 'simclr' | 'popular' | 'torch';

/** Constants of `momentumUpdate`. */
export interface MomentumUpdateOptions {
  /** Decay of the velocity, in [0, 1). With 0 there are no velocities. */
  readonly momentum: number;
  /** Whether to use Nesterov's momentum. */
  readonly nesterov: boolean;
  readonly flavour: MomentumFlavour;
  /** Strength of the L2 decay of each parameter. */
  readonly weightDecays: readonly number[];
  /** Factor of each parameter's trust ratio; 0 for no trust ratio. */
  readonly trustCoefficients: readonly number[];
}

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
    throw argumentError({
      fn,
      argument: 'gradientScale',
      required: 'be float32 of shape [2]',
      got: scale.shape,
      shown: showTensor(scale),
      advice: 'Pass [factor, 1 to apply or 0 to skip].',
    });
  }
}
