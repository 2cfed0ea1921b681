import * as tf from '@tensorflow/tfjs-core';
import { checkActivation, checkBatchNorm } from './contract/check-batch-norm.ts';
import { hasKernel } from './contract/has-kernel.ts';
import { runKernel } from './contract/run-kernel.ts';
import { silu as sigmoidUnit } from './silu.ts';
import { statisticAxes } from './statistic-axes.ts';

/** The statistics of {@link batchNormEvaluate}. */
export interface BatchNormStatistics {
  /** Mean of every channel, shape [C], float32. */
  readonly mean: tf.Tensor1D;
  /** Variance of every channel, shape [C], float32. */
  readonly variance: tf.Tensor1D;
}

/** Choices for {@link batchNormEvaluate}. */
export interface BatchNormEvaluateOptions {
  /** Added to the variance before the square root. Default 1e-5. */
  readonly epsilon?: number;
  /** Whether to apply max(0, .) at the end. Default false. */
  readonly relu?: boolean;
  /** Whether to apply x sigmoid(x) at the end, in place of a rectifier. Default false. */
  readonly silu?: boolean;
  /** The shortcut of a residual block, with the shape of `x`. It is added before the rectifier. Default: none. */
  readonly residual?: tf.Tensor;
}

/**
 * Normalises with given statistics, as an encoder does in evaluation mode. It can add a residual and apply a rectifier or SiLU.
 *
 *     output = relu(gamma (x - mean) / sqrt(variance + epsilon) + beta + residual)
 *
 * `relu`, `silu` in its place, and `residual` are optional. Gradients flow to `x`, `gamma`, `beta` and `residual`, but not to the statistics.
 *
 * For engines: the kernel is `BatchNormEvaluate` (see `OpKernels`).
 *
 * @param x - shape [..., C], float32.
 * @param gamma - scale of every channel, shape [C], float32.
 * @param beta - shift of every channel, shape [C], float32.
 * @param statistics - mean and variance of every channel.
 * @param options - epsilon, activation and residual.
 * @returns a new tensor of the shape of `x`, which the caller (or the surrounding `tf.tidy`) disposes.
 * @throws RangeError if shapes do not fit together, or if there are two activations.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { batchNormEvaluate } from '@tfjs-ssl/ops';
 *
 * await startEngine('auto');
 * const statistics = { mean: tf.tensor1d([5]), variance: tf.tensor1d([4]) };
 * const y = batchNormEvaluate(tf.tensor2d([[5], [9]]), tf.ones([1]), tf.zeros([1]), statistics);
 * console.log(await y.data()); // 0 and about 2
 * ```
 *
 * @see Ioffe and Szegedy, "Batch Normalization" (2015), algorithm 2; `torch.nn.functional.batch_norm` with `training=False`.
 */
export function batchNormEvaluate(
  x: tf.Tensor,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  { mean, variance }: BatchNormStatistics,
  options: BatchNormEvaluateOptions = {},
): tf.Tensor {
  const { epsilon = 1e-5, relu = false, residual } = options;
  checkBatchNorm('batchNormEvaluate', x, { gamma, beta, mean, variance }, residual);
  checkActivation('batchNormEvaluate', options);
  if (options.silu) {
    return tf.tidy(() =>
      sigmoidUnit(batchNormEvaluate(x, gamma, beta, { mean, variance }, { ...options, silu: false })),
    );
  }
  const normalise = tf.customGrad((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const [xs, scale, shift, shortcut] = args as [tf.Tensor, tf.Tensor1D, tf.Tensor1D, tf.Tensor?];
    const output = forward(xs, scale, shift, { mean, variance, residual: shortcut, epsilon, relu });
    save([xs, output, scale]);
    return {
      value: output,
      gradFunc: (dy, saved) => {
        const [input, result, factor] = saved as [tf.Tensor, tf.Tensor, tf.Tensor1D];
        const dz = relu ? tf.mul(dy, tf.step(result)) : dy;
        const inverseDeviation = tf.rsqrt(tf.add(variance, epsilon));
        const axes = statisticAxes(input);
        const dx = tf.mul(dz, tf.mul(factor, inverseDeviation));
        const dgamma = tf.mul(tf.sum(tf.mul(dz, tf.sub(input, mean)), axes), inverseDeviation);
        const dbeta = tf.sum(dz, axes);
        return shortcut ? [dx, dgamma, dbeta, dz] : [dx, dgamma, dbeta];
      },
    };
  });
  return residual ? normalise(x, gamma, beta, residual) : normalise(x, gamma, beta);
}

function forward(
  x: tf.Tensor,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  options: BatchNormStatistics & { residual: tf.Tensor | undefined; epsilon: number; relu: boolean },
): tf.Tensor {
  const { mean, variance, residual, epsilon, relu } = options;
  if (hasKernel('BatchNormEvaluate')) {
    const inputs: tf.NamedTensorMap = { x, gamma, beta, mean, variance, ...(residual && { residual }) };
    return runKernel('BatchNormEvaluate', inputs, { epsilon, relu });
  }
  const rows = tf.reshape(x, [-1, gamma.size]) as tf.Tensor2D; // backends take four axes at most
  let output = tf.reshape(tf.batchNorm(rows, mean, variance, beta, gamma, epsilon), x.shape);
  if (residual) output = tf.add(output, residual);
  return relu ? tf.relu(output) : output;
}
