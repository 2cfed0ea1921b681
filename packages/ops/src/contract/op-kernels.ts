import type * as tf from '@tensorflow/tfjs-core';
import type { AugmentStage } from './augment-stages.ts';
import type { ReserveImagesAttributes } from './packed-images.ts';
import type { AdamUpdateOptions, MomentumUpdateOptions } from './updates.ts';

/** What an op hands to a kernel of an engine, and what it takes back. */
export interface KernelContract<Inputs extends string, Attributes, Outputs extends tf.Tensor | tf.Tensor[]> {
  /** Names of the input tensors; `string` if the kernel takes lists of tensors. */
  readonly inputs: Inputs;
  readonly attributes: Attributes;
  readonly outputs: Outputs;
}

type ImageSize = readonly [height: number, width: number];

/**
 * Every kernel that an op of this package asks an engine for, by its name. An engine registers the kernels that it has for its backend of
 * TensorFlow.js; an op composes the others of TensorFlow.js's own ops, with the same result.
 *
 * An op checks its arguments before it calls a kernel, so a kernel may rely on ranks, shapes and dtypes. `x0..` stands for a list: x0, x1 and
 * so on. Tensors are float32 unless their comment says otherwise, and a kernel that writes in place returns no outputs.
 */
export interface OpKernels {
  /** `adamUpdate`, in place: inputs parameter0.., gradient0.., firstMoment0.., secondMoment0.., scalars [3], gradientScale [2] or absent. */
  readonly AdamUpdate: KernelContract<string, AdamUpdateOptions & { readonly count: number }, tf.Tensor[]>;
  /** `momentumUpdate`, in place: inputs parameter0.., gradient0.., velocity0.. (absent if momentum is 0), scalars [1], gradientScale [2] or absent. */
  readonly MomentumUpdate: KernelContract<string, MomentumUpdateOptions & { readonly count: number }, tf.Tensor[]>;
  /** `emaUpdate`, in place: inputs average0.., value0.., share (one number). */
  readonly EmaUpdate: KernelContract<string, { readonly count: number }, tf.Tensor[]>;
  /** `allFinite`: inputs tensor0..; a scalar, 1 or 0. */
  readonly AllFinite: KernelContract<string, { readonly count: number }, tf.Scalar>;
  /**
   * `batchNormTrain`: residual may be absent, and so may the running statistics, which are written in place; momentum comes with them.
   * Outputs: output, mean, variance.
   */
  readonly BatchNormTrain: KernelContract<
    'x' | 'gamma' | 'beta' | 'residual' | 'runningMean' | 'runningVariance',
    { readonly epsilon: number; readonly relu: boolean; readonly momentum?: number },
    [tf.Tensor, tf.Tensor1D, tf.Tensor1D]
  >;
  /** The gradient of `batchNormTrain`. Outputs: dx, dgamma, dbeta and, if `residual` is true, dresidual. */
  readonly BatchNormTrainGrad: KernelContract<
    'dy' | 'x' | 'output' | 'mean' | 'variance' | 'gamma',
    { readonly epsilon: number; readonly relu: boolean; readonly residual: boolean },
    tf.Tensor[]
  >;
  /**
   * `batchNormTrain` with `silu` and without a residual, as `BatchNormTrain`: output is silu(z), z = gamma (x - mean) / sqrt(variance + epsilon) + beta.
   * An engine has this kernel and `BatchNormSiluTrainGrad`, or neither.
   */
  readonly BatchNormSiluTrain: KernelContract<
    'x' | 'gamma' | 'beta' | 'runningMean' | 'runningVariance',
    { readonly epsilon: number; readonly momentum?: number },
    [tf.Tensor, tf.Tensor1D, tf.Tensor1D]
  >;
  /** Its gradient. Outputs: dx, dgamma, dbeta. */
  readonly BatchNormSiluTrainGrad: KernelContract<
    'dy' | 'x' | 'mean' | 'variance' | 'gamma' | 'beta',
    { readonly epsilon: number },
    tf.Tensor[]
  >;
  /**
   * `squeezeExcite` of an x that is not empty. Outputs: y, and what the gradient needs: pooled [N, C], before [N, S] (what SiLU takes), squeezed [N, S], gate [N, C].
   * An engine has this kernel and `SqueezeExciteGrad`, or neither.
   */
  readonly SqueezeExcite: KernelContract<
    'x' | 'squeeze' | 'squeezeBias' | 'excite' | 'exciteBias',
    unknown,
    [tf.Tensor4D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D, tf.Tensor2D]
  >;
  /** Its gradient. Outputs: dx, dsqueeze, dsqueezeBias, dexcite, dexciteBias. */
  readonly SqueezeExciteGrad: KernelContract<
    'dy' | 'x' | 'pooled' | 'before' | 'squeezed' | 'gate' | 'squeeze' | 'excite',
    unknown,
    tf.Tensor[]
  >;
  /** `batchNormEvaluate`: residual may be absent. */
  readonly BatchNormEvaluate: KernelContract<
    'x' | 'gamma' | 'beta' | 'mean' | 'variance' | 'residual',
    { readonly epsilon: number; readonly relu: boolean },
    tf.Tensor
  >;
  /** `globalAveragePool`: x of shape [N, H, W, C]. */
  readonly GlobalAveragePool: KernelContract<'x', unknown, tf.Tensor>;
  /** The gradient of `globalAveragePool`, of shape `inputShape`. */
  readonly GlobalAveragePoolGrad: KernelContract<
    'dy',
    { readonly inputShape: readonly [number, number, number, number] },
    tf.Tensor
  >;
  /**
   * `ntXentWithRanks`. Outputs: loss [], ranks [2N] and what the gradient needs: logSums, of shape [2N] or more, log sum_{j != i} exp(logits_ij) with
   * the maximum removed before exponentials; optionally units [2N, D], the rows over their norms, and divisors. Memory must grow with the batch
   * and not with its square.
   */
  readonly NTXent: KernelContract<
    'projections',
    { readonly temperature: number },
    [tf.Scalar, tf.Tensor1D, ...tf.Tensor[]]
  >;
  /**
   * The gradient of `ntXentWithRanks`: the inputs after projections are the outputs of `NTXent` from logSums on. At low temperatures, rounded log-sums make
   * exp(logits - logSums) wrong by up to 1e-6, which training curves show. The kernel must therefore compute the sums again, in two parts, or use
   * the sum of the exponentials themselves.
   */
  readonly NTXentGrad: KernelContract<
    'dy' | 'projections' | 'logSums' | 'units' | 'divisors',
    { readonly temperature: number },
    tf.Tensor
  >;
  /** `pairLogits`, with the arithmetic of `NTXent` and `masked` on the diagonal. */
  readonly PairLogits: KernelContract<
    'projections',
    { readonly temperature: number; readonly masked: number },
    tf.Tensor2D
  >;
  /** `augmentImages`: parameters is the table of all views. */
  readonly AugmentImages: KernelContract<
    'images' | 'parameters',
    { readonly stages: readonly AugmentStage[]; readonly size: ImageSize },
    tf.Tensor4D
  >;
  /**
   * `augmentPackedImages` and `unpackImages`: inputs shard0.. (int32, see `PackedImages`), indices (int32) and, if there are stages, parameters;
   * `shards` is the number of shards. An index that is not there gives NaN.
   */
  readonly AugmentPackedImages: KernelContract<
    string,
    {
      readonly shards: number;
      readonly imageSize: ImageSize;
      readonly stages: readonly AugmentStage[];
      readonly size: ImageSize;
    },
    tf.Tensor4D
  >;
  /** `uploadImages`: makes the shards, int32 [images, words], all of one number of images but for the last; throws an error of `argumentError` about `images` if the memory cannot hold them. */
  readonly ReserveImages: KernelContract<never, ReserveImagesAttributes, tf.Tensor2D[]>;
  /** `uploadImages`: writes images, int32 [n, words], into a shard from row `first` on, in place. */
  readonly WriteImages: KernelContract<'shard' | 'images', { readonly first: number }, tf.Tensor[]>;
}
