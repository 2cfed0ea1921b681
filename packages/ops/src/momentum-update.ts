import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import { checkParameterLists } from './contract/check-parameter-lists.ts';
import { hasKernel } from './contract/has-kernel.ts';
import { runKernel } from './contract/run-kernel.ts';
import { checkGradientScale, type GradientScale, type MomentumUpdateOptions } from './contract/updates.ts';
import { type ScaledUpdate, scaledUpdate } from './scaled-update.ts';
import { unshare } from './unshare.ts';

/**
 * Does one step of SGD with momentum, or of LARS, for many parameters, in place.
 *
 *     g <- g + weightDecay p                            trust(d) = trustCoefficient |p| / |d|, or 1 if a norm or the coefficient is 0
 *     a = learningRate trust(g)  ('simclr'),   trust(g)  ('torch'),   1  ('popular')
 *     v <- momentum v + a g
 *     d = nesterov ? momentum v + a g : v
 *     p <- p - d  ('simclr'),   p - learningRate d  ('torch'),   p - learningRate trust(d) d  ('popular')
 *
 * With `'torch'` and all trust coefficients 0, this is `torch.optim.SGD`. Values that change from step to step are tensors, so a recorded step can be replayed.
 *
 * For engines: the kernel is `MomentumUpdate` (see `OpKernels`), which writes in place. A variable that shares its memory with another tensor first gets memory of its
 * own, so that only the variable changes.
 *
 * @param parameters - p, float32; changed in place.
 * @param gradients - g, in the order and shapes of `parameters`; not changed.
 * @param velocities - v, likewise, zeros before the first step; changed in place. Empty if momentum is 0.
 * @param scalars - [learningRate], shape [1], float32.
 * @param options - the constants.
 * @param gradientScale - [factor, applies], shape [2], float32. Gradients are first multiplied by the factor. If `applies` is 0,
 * parameters and velocities do not change at all, even if gradients are NaN. Default: [1, 1].
 * @throws RangeError if the lists differ in length or shapes.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { momentumUpdate } from '@tfjs-ssl/ops';
 *
 * await startEngine('auto');
 * const p = tf.variable(tf.tensor1d([1, -1]));
 * const v = tf.variable(tf.zeros([2]));
 * momentumUpdate([p], [tf.tensor1d([2, -3])], [v], tf.tensor1d([0.1]), {
 *   momentum: 0.9, nesterov: false, flavour: 'torch', weightDecays: [0], trustCoefficients: [0],
 * });
 * console.log(await p.data()); // [0.8, -0.7]
 * ```
 *
 * @see You et al. 2017, "Large Batch Training of Convolutional Networks", algorithm 1; Sutskever et al. 2013, "On the importance of
 * initialization and momentum in deep learning"; google-research/simclr, tf2/lars_optimizer.py.
 */
export function momentumUpdate(
  parameters: readonly tf.Variable[],
  gradients: readonly tf.Tensor[],
  velocities: readonly tf.Variable[],
  scalars: tf.Tensor1D,
  options: MomentumUpdateOptions,
  gradientScale?: GradientScale,
): void {
  checkParameterLists('momentumUpdate', parameters, options.momentum === 0 ? { gradients } : { gradients, velocities });
  for (const name of ['weightDecays', 'trustCoefficients'] as const) {
    if (options[name].length !== parameters.length) {
      throw argumentError({
        fn: 'momentumUpdate',
        argument: name,
        required: `hold ${parameters.length} numbers, one per parameter`,
        got: options[name].length,
        advice: 'Pass all lists in the order of the parameters.',
      });
    }
  }
  if (scalars.size !== 1) {
    throw argumentError({
      fn: 'momentumUpdate',
      argument: 'scalars',
      required: 'have shape [1]',
      got: scalars.shape,
      advice: 'Pass [learningRate].',
    });
  }
  checkGradientScale('momentumUpdate', gradientScale);
  if (hasKernel('MomentumUpdate')) {
    const inputs = gradientScale ? { scalars, gradientScale } : { scalars };
    runFused(parameters, gradients, velocities, inputs, options);
    return;
  }
  tf.tidy(() => {
    const learningRate = tf.reshape(scalars, []);
    const update = scaledUpdate(gradientScale);
    parameters.forEach((parameter, i) => {
      // A tidy for each parameter bounds the memory of the intermediates by the largest one.
      tf.tidy(() => {
        const velocity = options.momentum === 0 ? undefined : velocities[i];
        updateOne(parameter, gradients[i] as tf.Tensor, velocity, learningRate, update, {
          ...options,
          weightDecay: options.weightDecays[i] as number,
          trustCoefficient: options.trustCoefficients[i] as number,
        });
      });
    });
  });
}

/** coefficient |p| / |direction|, or 1 if either norm is zero. */
function trustRatio(parameter: tf.Tensor, direction: tf.Tensor, coefficient: number): tf.Tensor {
  const size = tf.sqrt(tf.sum(tf.square(parameter)));
  const length = tf.sqrt(tf.sum(tf.square(direction)));
  const ratio = tf.mul(tf.div(size, length), coefficient);
  return tf.where(tf.greater(tf.minimum(size, length), 0), ratio, tf.onesLike(ratio));
}

function updateOne(
  parameter: tf.Variable,
  gradient: tf.Tensor,
  velocity: tf.Variable | undefined,
  learningRate: tf.Tensor,
  update: ScaledUpdate,
  options: MomentumUpdateOptions & { weightDecay: number; trustCoefficient: number },
): void {
  const { flavour, momentum, nesterov, weightDecay, trustCoefficient } = options;
  const trusted = (direction: tf.Tensor): tf.Tensor =>
    trustCoefficient === 0 ? direction : tf.mul(direction, trustRatio(parameter, direction, trustCoefficient));

  const scaled = update.scaled(gradient);
  const decayed = weightDecay === 0 ? scaled : tf.add(scaled, tf.mul(parameter, weightDecay));
  let incoming = flavour === 'popular' ? decayed : trusted(decayed);
  if (flavour === 'simclr') incoming = tf.mul(incoming, learningRate);

  let outgoing = incoming;
  if (velocity) {
    const moved = tf.add(tf.mul(velocity, momentum), incoming);
    outgoing = nesterov ? tf.add(tf.mul(moved, momentum), incoming) : moved;
    update.assign(velocity, moved);
  }
  if (flavour === 'popular') outgoing = trusted(outgoing);
  if (flavour !== 'simclr') outgoing = tf.mul(outgoing, learningRate);
  update.assign(parameter, tf.sub(parameter, outgoing));
}

function runFused(
  parameters: readonly tf.Variable[],
  gradients: readonly tf.Tensor[],
  velocities: readonly tf.Variable[],
  common: tf.NamedTensorMap,
  options: MomentumUpdateOptions,
): void {
  const inputs: tf.NamedTensorMap = { ...common };
  parameters.forEach((parameter, i) => {
    unshare(parameter);
    inputs[`parameter${i}`] = parameter;
    inputs[`gradient${i}`] = gradients[i] as tf.Tensor;
    if (options.momentum === 0) return;
    const velocity = velocities[i] as tf.Variable;
    unshare(velocity);
    inputs[`velocity${i}`] = velocity;
  });
  runKernel('MomentumUpdate', inputs, { ...options, count: parameters.length });
}
