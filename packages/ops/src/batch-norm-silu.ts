import * as tf from '@tensorflow/tfjs-core';
import { runKernel } from './contract/run-kernel.ts';
import { unshare } from './unshare.ts';

/** The running statistics of `batchNormTrain`. */
interface Running {
  readonly mean: tf.Variable;
  readonly variance: tf.Variable;
  readonly momentum: number;
}

/**
 * `batchNormTrain` with SiLU on an engine that has both in one kernel. What the gradient keeps is `x` and a few numbers for each channel; the output is not
 * needed for it.
 */
export function batchNormSilu(
  x: tf.Tensor,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  epsilon: number,
  running: Running | undefined,
): { output: tf.Tensor; mean: tf.Tensor1D; variance: tf.Tensor1D } {
  let statistics: tf.Tensor1D[] = [];
  const normalise = tf.customGrad((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const [xs, scale, shift] = args as [tf.Tensor, tf.Tensor1D, tf.Tensor1D];
    const [output, mean, variance] = forward({ x: xs, gamma: scale, beta: shift }, epsilon, running);
    // A custom gradient has one result; the statistics leave through the closure.
    statistics = [tf.keep(mean), tf.keep(variance)];
    save([xs, mean, variance, scale, shift]);
    return {
      value: output,
      gradFunc(dy, saved) {
        const [input, ofMean, ofVariance, factor, offset] = saved as tf.Tensor[] as Saved;
        const inputs = { dy, x: input, mean: ofMean, variance: ofVariance, gamma: factor, beta: offset };
        return runKernel('BatchNormSiluTrainGrad', inputs, { epsilon });
      },
    };
  });
  const output = normalise(x, gamma, beta);
  const [mean, variance] = statistics.map((kept) => {
    const owned = tf.clone(kept); // belongs to the caller's scope, which the kept tensor does not
    kept.dispose();
    return owned;
  }) as [tf.Tensor1D, tf.Tensor1D];
  return { output, mean, variance };
}

type Saved = [x: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor];

function forward(
  inputs: { readonly x: tf.Tensor; readonly gamma: tf.Tensor1D; readonly beta: tf.Tensor1D },
  epsilon: number,
  running: Running | undefined,
): [tf.Tensor, tf.Tensor1D, tf.Tensor1D] {
  if (!running) return runKernel('BatchNormSiluTrain', inputs, { epsilon });
  const { mean: runningMean, variance: runningVariance, momentum } = running;
  unshare(runningMean);
  unshare(runningVariance);
  return runKernel('BatchNormSiluTrain', { ...inputs, runningMean, runningVariance }, { epsilon, momentum });
}
