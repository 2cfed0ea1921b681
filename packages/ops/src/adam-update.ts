import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import { checkParameterLists } from './contract/check-parameter-lists.ts';
import { hasKernel } from './contract/has-kernel.ts';
import { runKernel } from './contract/run-kernel.ts';
import { type AdamUpdateOptions, checkGradientScale, type GradientScale } from './contract/updates.ts';
import { type ScaledUpdate, scaledUpdate } from './scaled-update.ts';
import { unshare } from './unshare.ts';

/**
 * Does one step of Adam for many parameters, in place.
 *
 *     g <- g + weightDecay p                     (L2)      or      p <- (1 - learningRate weightDecay) p     (decoupled)
 *     m <- beta1 m + (1 - beta1) g
 *     v <- beta2 v + (1 - beta2) g^2
 *     p <- p - learningRate / c1 * m / (sqrt(v) / sqrt(c2) + epsilon)
 *
 * Values that change from step to step are tensors, so a recorded step can be replayed.
 *
 * For engines: the kernel is `AdamUpdate` (see `OpKernels`), which writes in place. A variable may share its memory with another tensor (the one it was made from, or a
 * clone). Such a variable first gets memory of its own, so that only the variable changes.
 *
 * @param parameters - p, float32; changed in place.
 * @param gradients - g, in the order and shapes of `parameters`; not changed.
 * @param firstMoments - m, likewise; changed in place, zeros before the first step.
 * @param secondMoments - v, likewise; changed in place, zeros before the first step.
 * @param scalars - [learningRate, c1 = 1 - beta1^t, c2 = 1 - beta2^t] where t is the step, counted from 1; shape [3], float32.
 * @param options - the constants.
 * @param gradientScale - [factor, applies], shape [2], float32. Gradients are first multiplied by the factor. If `applies` is 0,
 * parameters and moments do not change at all, even if gradients are NaN. Default: [1, 1].
 * @throws RangeError if the lists differ in length or shapes.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { adamUpdate } from '@tfjs-ssl/ops';
 *
 * await startEngine('auto');
 * const p = tf.variable(tf.tensor1d([1, -1]));
 * const [m, v] = [tf.variable(tf.zeros([2])), tf.variable(tf.zeros([2]))];
 * const scalars = tf.tensor1d([0.1, 1 - 0.9, 1 - 0.999]);
 * adamUpdate([p], [tf.tensor1d([2, -3])], [m], [v], scalars, {
 *   beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decoupled: false,
 * });
 * console.log(await p.data()); // close to [0.9, -0.9]
 * ```
 *
 * @see Kingma and Ba, "Adam" (2015), algorithm 1; Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019), algorithm 2;
 * `torch.optim.Adam` and `torch.optim.AdamW`.
 */
export function adamUpdate(
  parameters: readonly tf.Variable[],
  gradients: readonly tf.Tensor[],
  firstMoments: readonly tf.Variable[],
  secondMoments: readonly tf.Variable[],
  scalars: tf.Tensor1D,
  options: AdamUpdateOptions,
  gradientScale?: GradientScale,
): void {
  checkParameterLists('adamUpdate', parameters, { gradients, firstMoments, secondMoments });
  if (scalars.size !== 3) {
    throw argumentError({
      fn: 'adamUpdate',
      argument: 'scalars',
      required: 'have shape [3]',
      got: scalars.shape,
      advice: 'Pass [learningRate, 1 - beta1^t, 1 - beta2^t].',
    });
  }
  checkGradientScale('adamUpdate', gradientScale);
  if (hasKernel('AdamUpdate')) {
    const inputs = gradientScale ? { scalars, gradientScale } : { scalars };
    runFused(parameters, gradients, firstMoments, secondMoments, inputs, options);
    return;
  }
  tf.tidy(() => {
    const [learningRate, c1, c2] = tf.unstack(scalars) as [tf.Scalar, tf.Scalar, tf.Scalar];
    const update = scaledUpdate(gradientScale);
    const rates = { learningRate, stepSize: tf.div(learningRate, c1), rootC2: tf.sqrt(c2) };
    parameters.forEach((parameter, i) => {
      tf.tidy(() => {
        updateOne(
          parameter,
          gradients[i] as tf.Tensor,
          firstMoments[i] as tf.Variable,
          secondMoments[i] as tf.Variable,
          rates,
          update,
          options,
        );
      });
    });
  });
}

function updateOne(
  p: tf.Variable,
  gradient: tf.Tensor,
  m: tf.Variable,
  v: tf.Variable,
  rates: { learningRate: tf.Tensor; stepSize: tf.Tensor; rootC2: tf.Tensor },
  update: ScaledUpdate,
  { beta1, beta2, epsilon, weightDecay, decoupled }: AdamUpdateOptions,
): void {
  const decays = weightDecay !== 0;
  const scaled = update.scaled(gradient);
  const g = decays && !decoupled ? tf.add(scaled, tf.mul(p, weightDecay)) : scaled;
  const start = decays && decoupled ? tf.sub(p, tf.mul(p, tf.mul(rates.learningRate, weightDecay))) : p;
  update.assign(m, tf.add(tf.mul(m, beta1), tf.mul(g, 1 - beta1)));
  update.assign(v, tf.add(tf.mul(v, beta2), tf.mul(tf.square(g), 1 - beta2)));
  const denominator = tf.add(tf.div(tf.sqrt(v), rates.rootC2), epsilon);
  update.assign(p, tf.sub(start, tf.div(tf.mul(m, rates.stepSize), denominator)));
}

function runFused(
  parameters: readonly tf.Variable[],
  gradients: readonly tf.Tensor[],
  firstMoments: readonly tf.Variable[],
  secondMoments: readonly tf.Variable[],
  common: tf.NamedTensorMap,
  options: AdamUpdateOptions,
): void {
  const inputs: tf.NamedTensorMap = { ...common };
  parameters.forEach((parameter, i) => {
    const [m, v] = [firstMoments[i] as tf.Variable, secondMoments[i] as tf.Variable];
    for (const variable of [parameter, m, v]) unshare(variable);
    inputs[`parameter${i}`] = parameter;
    inputs[`gradient${i}`] = gradients[i] as tf.Tensor;
    inputs[`firstMoment${i}`] = m;
    inputs[`secondMoment${i}`] = v;
  });
  runKernel('AdamUpdate', inputs, { ...options, count: parameters.length });
}
