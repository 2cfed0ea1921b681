import './register-gradients.ts';
import * as tf from '@tensorflow/tfjs-core';
import { hasKernel } from './has-kernel.ts';

/** Choices for {@link batchNormTrain}. */
export interface BatchNormTrainOptions {
  /** Added to the variance before its square root. Default 1e-5. */
  readonly epsilon?: number;
  /** Whether max(0, .) is applied at the end. Default false. */
  readonly relu?: boolean;
  /** Added before the rectifier, shape of `x`: the shortcut of a residual block. Default: none. */
  readonly residual?: tf.Tensor;
}

/** What {@link batchNormTrain} returns. */
export interface BatchNormTrainResult {
  /** The normalised tensor, shape of `x`. */
  readonly output: tf.Tensor;
  /** Mean of every channel over the batch, shape [C]. */
  readonly mean: tf.Tensor1D;
  /** Biased variance of every channel over the batch (divided by the number of rows), shape [C]. */
  readonly variance: tf.Tensor1D;
}

/**
 * Batch normalisation with the statistics of the batch, fused with what follows it in a residual network.
 *
 *     output = relu(gamma (x - mean) / sqrt(variance + epsilon) + beta + residual)
 *
 * with `relu` and `residual` where asked for. The mean is subtracted before squares are summed, so that data far from zero keep their
 * digits. Gradients flow to `x`, `gamma`, `beta` and `residual` through `output`; `mean` and `variance` are constants to the tape.
 *
 * An engine may implement it as the kernels `BatchNormTrain` (inputs x, gamma, beta, residual?; attributes epsilon, relu; outputs output,
 * mean, variance) and `BatchNormTrainGrad` (inputs dy, x, output, mean, variance, gamma; attributes epsilon, relu, residual; outputs dx,
 * dgamma, dbeta and, where residual is true, dresidual).
 *
 * @param x - shape [..., C], float32; the statistics are over all axes but the last.
 * @param gamma - scale of every channel, shape [C], float32.
 * @param beta - shift of every channel, shape [C], float32.
 * @param options - epsilon, rectifier and residual.
 * @returns three new tensors, which the caller (or the surrounding `tf.tidy`) disposes.
 * @throws RangeError where shapes do not fit together.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { useEngine } from '@tfjs-ssl/engine';
 * import { batchNormTrain } from '@tfjs-ssl/ops';
 *
 * await useEngine('auto');
 * const x = tf.randomNormal([8, 4, 4, 3], 5, 2);
 * const { output, mean } = batchNormTrain(x, tf.ones([3]), tf.zeros([3]), { relu: true });
 * console.log(output.shape, await mean.data());
 * ```
 *
 * @see Ioffe and Szegedy, "Batch Normalization" (2015), algorithm 1; `torch.nn.functional.batch_norm` with `training=True`.
 */
export function batchNormTrain(
  x: tf.Tensor,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  options: BatchNormTrainOptions = {},
): BatchNormTrainResult {
  const { epsilon = 1e-5, relu = false, residual } = options;
  checkShapes(x, gamma, beta, residual);
  let statistics: [tf.Tensor1D, tf.Tensor1D] | undefined;

  const normalise = tf.customGrad((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const [xs, scale, shift, shortcut] = args as [tf.Tensor, tf.Tensor1D, tf.Tensor1D, tf.Tensor?];
    const [output, mean, variance] = forward(xs, scale, shift, shortcut, epsilon, relu);
    // A custom gradient has one result; the statistics leave through the closure.
    statistics = [tf.keep(mean), tf.keep(variance)];
    save([xs, output, mean, variance, scale]);
    return {
      value: output,
      gradFunc: (dy, saved) => backward([dy, ...saved] as BackwardInputs, epsilon, relu, shortcut !== undefined),
    };
  });

  const output = residual ? normalise(x, gamma, beta, residual) : normalise(x, gamma, beta);
  const [mean, variance] = (statistics as [tf.Tensor1D, tf.Tensor1D]).map((kept) => {
    const owned = tf.clone(kept); // belongs to the caller's scope, which the kept tensor does not
    kept.dispose();
    return owned;
  }) as [tf.Tensor1D, tf.Tensor1D];
  return { output, mean, variance };
}

type BackwardInputs = [
  dy: tf.Tensor,
  x: tf.Tensor,
  output: tf.Tensor,
  mean: tf.Tensor,
  variance: tf.Tensor,
  gamma: tf.Tensor,
];

function forward(
  x: tf.Tensor,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  residual: tf.Tensor | undefined,
  epsilon: number,
  relu: boolean,
): [tf.Tensor, tf.Tensor1D, tf.Tensor1D] {
  if (hasKernel('BatchNormTrain')) {
    const inputs = residual ? { x, gamma, beta, residual } : { x, gamma, beta };
    return tf.engine().runKernel('BatchNormTrain', inputs, { epsilon, relu });
  }
  const axes = statisticAxes(x);
  const mean = tf.mean<tf.Tensor1D>(x, axes);
  const centred = tf.sub(x, mean);
  const variance = tf.mean<tf.Tensor1D>(tf.square(centred), axes);
  const scale = tf.mul(gamma, tf.rsqrt(tf.add(variance, epsilon)));
  let output: tf.Tensor = tf.add(tf.mul(centred, scale), beta);
  if (residual) output = tf.add(output, residual);
  if (relu) output = tf.relu(output);
  return [output, mean, variance];
}

function backward(inputs: BackwardInputs, epsilon: number, relu: boolean, residual: boolean): tf.Tensor[] {
  const [dy, x, output, mean, variance, gamma] = inputs;
  if (hasKernel('BatchNormTrainGrad')) {
    return tf
      .engine()
      .runKernel('BatchNormTrainGrad', { dy, x, output, mean, variance, gamma }, { epsilon, relu, residual });
  }
  const axes = statisticAxes(x);
  const rows = x.size / gamma.size;
  const dz = relu ? tf.mul(dy, tf.step(output)) : dy;
  const inverseDeviation = tf.rsqrt(tf.add(variance, epsilon));
  const normalised = tf.mul(tf.sub(x, mean), inverseDeviation);
  const dbeta = tf.sum(dz, axes);
  const dgamma = tf.sum(tf.mul(dz, normalised), axes);
  const projected = tf.add(tf.div(dbeta, rows), tf.mul(normalised, tf.div(dgamma, rows)));
  const dx = tf.mul(tf.mul(gamma, inverseDeviation), tf.sub(dz, projected));
  return residual ? [dx, dgamma, dbeta, dz] : [dx, dgamma, dbeta];
}

function statisticAxes(x: tf.Tensor): number[] {
  return Array.from({ length: x.rank - 1 }, (_, axis) => axis);
}

function checkShapes(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, residual: tf.Tensor | undefined): void {
  const channels = x.shape.at(-1) ?? 0;
  if (x.rank < 2) {
    throw new RangeError(
      `batchNormTrain: x must have at least two axes [..., C], got shape [${x.shape}]. Add the batch axis.`,
    );
  }
  for (const [name, tensor] of [
    ['gamma', gamma],
    ['beta', beta],
  ] as const) {
    if (tensor.rank !== 1 || tensor.size !== channels) {
      throw new RangeError(
        `batchNormTrain: ${name} must have shape [${channels}] as x has ${channels} channels, got [${tensor.shape}]. Give one value per channel.`,
      );
    }
  }
  if (residual && !tf.util.arraysEqual(residual.shape, x.shape)) {
    throw new RangeError(
      `batchNormTrain: residual must have the shape of x, [${x.shape}], got [${residual.shape}]. Project the shortcut first.`,
    );
  }
}
