import * as tf from '@tensorflow/tfjs-core';
import { argumentError, checkNumber, showValue } from '@tfjs-ssl/checks';
import { commonGradient, commonStatistics } from './batch-norm-across-ranks.ts';
import { batchNormEvaluate } from './batch-norm-evaluate.ts';
import { batchNormSilu } from './batch-norm-silu.ts';
import { checkActivation, checkBatchNorm } from './contract/check-batch-norm.ts';
import { hasKernel } from './contract/has-kernel.ts';
import { runKernel } from './contract/run-kernel.ts';
import { silu as sigmoidUnit } from './silu.ts';
import { statisticAxes } from './statistic-axes.ts';
import { unshare } from './unshare.ts';
import { ranksInStep, type World } from './world.ts';

/** Running statistics that {@link batchNormTrain} updates. */
export interface RunningStatistics {
  /** Running mean of every channel, shape [C], float32; changed in place. */
  readonly mean: tf.Variable;
  /** Running unbiased variance of every channel, shape [C], float32; changed in place. */
  readonly variance: tf.Variable;
  /** Weight of the batch, in (0, 1]: running = (1 - momentum) running + momentum batch. */
  readonly momentum: number;
}

/** Choices for {@link batchNormTrain}. */
export interface BatchNormTrainOptions {
  /** Added to the variance before the square root. Default 1e-5. */
  readonly epsilon?: number;
  /** Whether to apply max(0, .) at the end. Default false. */
  readonly relu?: boolean;
  /** Whether to apply x sigmoid(x) at the end, in place of a rectifier. Default false. */
  readonly silu?: boolean;
  /** The shortcut of a residual block, with the shape of `x`. It is added before the rectifier. Default: none. */
  readonly residual?: tf.Tensor;
  /** Running statistics to update with those of the batch; the variance is multiplied by rows / (rows - 1). Default: none. */
  readonly running?: RunningStatistics;
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
 * Normalises with the statistics of the batch. It can add a residual and apply a rectifier or SiLU in the same pass.
 *
 *     output = relu(gamma (x - mean) / sqrt(variance + epsilon) + beta + residual)
 *
 * `relu`, `silu` in its place, and `residual` are optional. The mean is subtracted before squares are added, so data far from zero keep their digits. If the variance of a channel overflows or is NaN, all
 * outputs of the channel are NaN. Gradients flow through `output` to `x`, `gamma`, `beta` and `residual`, but not through `mean` and `variance`.
 * Within `acrossRanks` with `batchStatistics: 'batch'`, the statistics are those of the rows of all ranks, and the gradients agree with them.
 *
 * For engines: the kernels are `BatchNormTrain` and `BatchNormTrainGrad`, and with SiLU `BatchNormSiluTrain` and `BatchNormSiluTrainGrad` (see `OpKernels`).
 *
 * @param x - shape [..., C], float32; the statistics are over all axes but the last.
 * @param gamma - scale of every channel, shape [C], float32.
 * @param beta - shift of every channel, shape [C], float32.
 * @param options - epsilon, activation, residual and running statistics.
 * @returns three new tensors, which the caller (or the surrounding `tf.tidy`) disposes.
 * @throws RangeError if shapes do not fit together, if there are two activations, or if running statistics are given and there is only one value per channel.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { batchNormTrain } from '@tfjs-ssl/ops';
 *
 * await startEngine('auto');
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
  const { epsilon = 1e-5, relu = false, residual, running } = options;
  checkBatchNorm('batchNormTrain', x, { gamma, beta }, residual);
  checkActivation('batchNormTrain', options);
  if (running) checkRunning(running, x, gamma.size);
  if (options.silu) {
    const ranks = ranksInStep();
    if (!residual && ranks?.batchStatistics !== 'batch' && hasKernel('BatchNormSiluTrain')) {
      if (running && ranks) for (const own of [running.mean, running.variance]) ranks.ownStatistics.add(own);
      return batchNormSilu(x, gamma, beta, epsilon, running);
    }
    const { output, ...statistics } = batchNormTrain(x, gamma, beta, { ...options, silu: false });
    const activated = sigmoidUnit(output);
    output.dispose(); // the gradient has what it needs of it
    return { output: activated, ...statistics };
  }
  const ranks = ranksInStep();
  const world = ranks?.batchStatistics === 'batch' ? ranks.world : null;
  let rows = x.size / gamma.size;
  let statistics: [tf.Tensor1D, tf.Tensor1D] | undefined;

  const normalise = tf.customGrad((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const [xs, scale, shift, shortcut] = args as [tf.Tensor, tf.Tensor1D, tf.Tensor1D, tf.Tensor?];
    const choices = { epsilon, relu, residual: shortcut, running };
    const { output, mean, variance, ...common } = world
      ? forwardAcross(world, xs, scale, shift, choices)
      : forward(xs, scale, shift, choices);
    rows = common.rows ?? rows;
    // A custom gradient has one result; the statistics leave through the closure.
    statistics = [tf.keep(mean), tf.keep(variance)];
    save([xs, output, mean, variance, scale]);
    return {
      value: output,
      gradFunc(dy, saved) {
        const inputs = [dy, ...saved] as BackwardInputs;
        const gradients = backward(inputs, epsilon, relu, shortcut !== undefined);
        return world ? acrossWorld(world, inputs, epsilon, gradients) : gradients;
      },
    };
  });

  const output = residual ? normalise(x, gamma, beta, residual) : normalise(x, gamma, beta);
  const [mean, variance] = (statistics as [tf.Tensor1D, tf.Tensor1D]).map((kept) => {
    const owned = tf.clone(kept); // belongs to the caller's scope, which the kept tensor does not
    kept.dispose();
    return owned;
  }) as [tf.Tensor1D, tf.Tensor1D];
  if (running && (world || !hasKernel('BatchNormTrain'))) moveRunning(running, mean, variance, rows);
  if (running && ranks && !world) for (const own of [running.mean, running.variance]) ranks.ownStatistics.add(own);
  return { output, mean, variance };
}

type BackwardInputs = [
  dy: tf.Tensor,
  x: tf.Tensor,
  output: tf.Tensor,
  mean: tf.Tensor1D,
  variance: tf.Tensor1D,
  gamma: tf.Tensor1D,
];

interface ForwardOptions {
  readonly epsilon: number;
  readonly relu: boolean;
  readonly residual: tf.Tensor | undefined;
  readonly running: RunningStatistics | undefined;
}

/** `rows`: those of the statistics, where they are not x's own. */
type Forward = BatchNormTrainResult & { readonly rows?: number };

/** With the statistics of the rows of all ranks; the running ones are left to the caller. */
function forwardAcross(
  world: World,
  x: tf.Tensor,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  { epsilon, relu, residual }: ForwardOptions,
): Forward {
  const own = forward(x, gamma, beta, { epsilon, relu: false, residual: undefined, running: undefined });
  const common = commonStatistics(world, own.mean, own.variance, x.size / gamma.size);
  tf.dispose([own.output, own.mean, own.variance]);
  const options = residual ? { epsilon, relu, residual } : { epsilon, relu };
  return { output: batchNormEvaluate(x, gamma, beta, common, options), ...common };
}

function forward(x: tf.Tensor, gamma: tf.Tensor1D, beta: tf.Tensor1D, options: ForwardOptions): Forward {
  const { epsilon, relu, residual, running } = options;
  if (hasKernel('BatchNormTrain')) {
    const inputs: tf.NamedTensorMap = residual ? { x, gamma, beta, residual } : { x, gamma, beta };
    return named(fused(inputs, { epsilon, relu }, running));
  }
  const axes = statisticAxes(x);
  const mean = tf.mean<tf.Tensor1D>(x, axes);
  const centred = tf.sub(x, mean);
  const variance = tf.mean<tf.Tensor1D>(tf.square(centred), axes);
  // An infinite variance would scale all to 0, which looks sound: it makes the scale NaN.
  const scale = tf.add(tf.mul(gamma, tf.rsqrt(tf.add(variance, epsilon))), tf.sub(variance, variance));
  let output: tf.Tensor = tf.add(tf.mul(centred, scale), beta);
  if (residual) output = tf.add(output, residual);
  if (relu) output = tf.relu(output);
  return { output, mean, variance };
}

type Outputs = [tf.Tensor, tf.Tensor1D, tf.Tensor1D];
const named = ([output, mean, variance]: Outputs): Forward => ({ output, mean, variance });

function fused(
  inputs: tf.NamedTensorMap,
  attributes: { readonly epsilon: number; readonly relu: boolean },
  running: RunningStatistics | undefined,
): Outputs {
  if (!running) return runKernel('BatchNormTrain', inputs, attributes);
  const { mean: runningMean, variance: runningVariance, momentum } = running;
  unshare(runningMean);
  unshare(runningVariance);
  const all = { ...inputs, runningMean, runningVariance };
  return runKernel('BatchNormTrain', all, { ...attributes, momentum });
}

/** The gradients of a rank's own rows, the first of them as the statistics of all ranks make it. */
function acrossWorld(world: World, inputs: BackwardInputs, epsilon: number, gradients: tf.Tensor[]): tf.Tensor[] {
  const [, x, , mean, variance, gamma] = inputs;
  const [own, dgamma, dbeta, ...others] = gradients as [tf.Tensor, tf.Tensor1D, tf.Tensor1D, ...tf.Tensor[]];
  const dx = commonGradient(world, { x, gamma, mean, variance, epsilon, dx: own, dgamma, dbeta });
  own.dispose();
  return [dx, dgamma, dbeta, ...others];
}

/** running = (1 - momentum) running + momentum batch, the variance unbiased. */
function moveRunning(running: RunningStatistics, mean: tf.Tensor, variance: tf.Tensor, rows: number): void {
  const { momentum } = running;
  const move = (variable: tf.Variable, ofBatch: tf.Tensor, share: number): void =>
    variable.assign(tf.add(tf.mul(variable, 1 - momentum), tf.mul(ofBatch, share)));
  tf.tidy(() => {
    move(running.mean, mean, momentum);
    move(running.variance, variance, (momentum * rows) / (rows - 1));
  });
}

function backward(inputs: BackwardInputs, epsilon: number, relu: boolean, residual: boolean): tf.Tensor[] {
  const [dy, x, output, mean, variance, gamma] = inputs;
  if (hasKernel('BatchNormTrainGrad')) {
    return runKernel('BatchNormTrainGrad', { dy, x, output, mean, variance, gamma }, { epsilon, relu, residual });
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

function checkRunning({ mean, variance, momentum }: RunningStatistics, x: tf.Tensor, channels: number): void {
  for (const [name, { shape }] of Object.entries({ mean, variance })) {
    if (shape.length !== 1 || shape[0] !== channels) {
      throw argumentError({
        fn: 'batchNormTrain',
        argument: `running.${name}`,
        required: `have shape [${channels}], the number of channels of x`,
        got: shape,
        advice: 'Pass one value per channel.',
      });
    }
  }
  const advice = "It is the weight of the new batch: Keras's 0.9 is 0.1 here.";
  checkNumber('batchNormTrain', 'running.momentum', momentum, { above: 0, max: 1 }, advice);
  if (x.size / channels < 2) {
    throw argumentError({
      fn: 'batchNormTrain',
      argument: 'x',
      required: 'have at least two values per channel to update running statistics',
      got: x.shape,
      shown: `shape ${showValue(x.shape)}`,
      advice: 'Use a larger batch.',
    });
  }
}
