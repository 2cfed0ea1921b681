import * as tf from '@tensorflow/tfjs-core';
import { checkNumber } from '@tfjs-ssl/checks';
import seedrandom from 'seedrandom';
import { checkFeatures, checkFinite, checkLabels, checkSeveralClasses } from './check-arguments.ts';
import type { LinearClassifier, LinearProbeOptions } from './linear-probe.ts';

/** Options of {@link sgdProbe}. */
export interface SgdProbeOptions extends Pick<LinearProbeOptions, 'features' | 'labels' | 'classes'> {
  /** Passes over the rows, an integer >= 1. Default: 90. */
  readonly epochs?: number;
  /** Rows of a step, an integer >= 1; the last step of an epoch takes what is left. Default: 256. */
  readonly batchSize?: number;
  /** Learning rate of the first step, > 0; it falls to 0 along a cosine, step by step. Default: 0.1 batchSize / 256. */
  readonly learningRate?: number;
  /** Decay rate of the velocity, in [0, 1). Default: 0.9. */
  readonly momentum?: number;
  /** Whether the momentum is Nesterov's. Default: true. */
  readonly nesterov?: boolean;
  /** Seed of the order of the rows. Default: 0. */
  readonly seed?: number | string;
  /** Called after every epoch; `loss` is the mean cross-entropy of its steps, in nats. */
  readonly onProgress?: (progress: { epoch: number; loss: number }) => void;
}

/** What {@link sgdProbe} returns. */
export interface SgdProbe extends LinearClassifier {
  /** Mean cross-entropy of the steps of the last epoch, in nats. */
  readonly loss: number;
}

/**
 * Trains a linear classifier on frozen features by SGD, the protocol by which most papers report the linear probe.
 *
 * Softmax regression without weight decay, from zeros: the field's 90 epochs, momentum 0.9 and a cosine from a learning rate of 0.1 batchSize / 256. The result depends on this recipe and on the scale of the features;
 * {@link linearProbe} depends on neither. Papers also augment the training images; here each image has one row of features.
 *
 * @param options - see {@link SgdProbeOptions}.
 * @returns weights and bias (tensors that the caller disposes), and the last loss.
 * @throws RangeError if shapes or labels do not fit, a number is outside its range, or a feature is not finite; Error if the training diverges.
 * @example
 * ```ts
 * import { probeAccuracy, sgdProbe } from '@tfjs-ssl/evaluation';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const features = tf.tensor2d([[0, 1], [1, 3], [4, 0], [5, 1]]);
 * const labels = [0, 0, 1, 1];
 * const probe = await sgdProbe({ features, labels, classes: 2, learningRate: 0.1 });
 * console.log(probe.loss, await probeAccuracy({ probe, features, labels })); // below 0.1, 1
 * ```
 * @see Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual Representations", appendix B.6.
 */
export async function sgdProbe(options: SgdProbeOptions): Promise<SgdProbe> {
  const {
    features,
    labels,
    classes,
    epochs = 90,
    batchSize = 256,
    momentum = 0.9,
    nesterov = true,
    seed = 0,
  } = options;
  const { learningRate = (0.1 * batchSize) / 256, onProgress } = options;
  checkFeatures('sgdProbe', 'features', features);
  checkNumber('sgdProbe', 'classes', classes, { min: 2, integer: true }, 'With one class every answer is right.');
  const [rows, columns] = features.shape;
  checkLabels('sgdProbe', 'labels', labels, rows, classes);
  checkSeveralClasses('sgdProbe', 'labels', labels);
  checkNumber('sgdProbe', 'epochs', epochs, { min: 1, integer: true }, 'Leave it out for 90.');
  checkNumber('sgdProbe', 'batchSize', batchSize, { min: 1, integer: true }, 'Leave it out for 256.');
  checkNumber('sgdProbe', 'learningRate', learningRate, { above: 0 }, 'Leave it out for 0.1 batchSize / 256.');
  checkNumber('sgdProbe', 'momentum', momentum, { min: 0, below: 1 }, 'Leave it out for 0.9.');
  await checkFinite('sgdProbe', 'features', features);

  const ofRows = tf.tensor1d(Int32Array.from(labels), 'int32');
  const stepsPerEpoch = Math.ceil(rows / batchSize);
  let state = firstState(classes, columns);
  let loss = Number.NaN;
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = shuffled(rows, `sgd probe, seed ${seed}, epoch ${epoch}`);
      for (let step = 0; step < stepsPerEpoch; step++) {
        const done = (epoch * stepsPerEpoch + step) / (epochs * stepsPerEpoch);
        const rate = (learningRate / 2) * (1 + Math.cos(Math.PI * done));
        const picked = order.subarray(step * batchSize, (step + 1) * batchSize);
        const before = state;
        state = tf.tidy(() => update(before, batchOf(features, ofRows, picked), { rate, momentum, nesterov }));
        tf.dispose(Object.values(before));
      }
      loss = ((await state.loss.data())[0] as number) / stepsPerEpoch;
      if (!Number.isFinite(loss)) throw diverged(epoch, loss, learningRate);
      tf.dispose(state.loss);
      state = { ...state, loss: tf.scalar(0) };
      onProgress?.({ epoch, loss });
    }
  } catch (error) {
    tf.dispose([state.weights, state.bias]);
    throw error;
  } finally {
    tf.dispose([ofRows, state.weightVelocity, state.biasVelocity, state.loss]);
  }
  return { weights: state.weights, bias: state.bias, loss };
}

type State = {
  readonly weights: tf.Tensor2D;
  readonly bias: tf.Tensor1D;
  readonly weightVelocity: tf.Tensor2D;
  readonly biasVelocity: tf.Tensor1D;
  /** Sum over the steps of the epoch so far. */
  readonly loss: tf.Scalar;
};

function firstState(classes: number, columns: number): State {
  return {
    weights: tf.zeros([classes, columns]),
    bias: tf.zeros([classes]),
    weightVelocity: tf.zeros([classes, columns]),
    biasVelocity: tf.zeros([classes]),
    loss: tf.scalar(0),
  };
}

interface Batch {
  readonly x: tf.Tensor2D;
  readonly labels: tf.Tensor1D;
}

function batchOf(features: tf.Tensor2D, labels: tf.Tensor1D, picked: Int32Array): Batch {
  const rows = tf.tensor1d(picked, 'int32');
  return { x: tf.gather(features, rows), labels: tf.gather(labels, rows) };
}

/** One step of PyTorch's SGD: v = momentum v + g; p -= rate (nesterov ? g + momentum v : v). */
function update(
  state: State,
  { x, labels }: Batch,
  { rate, momentum, nesterov }: { readonly rate: number; readonly momentum: number; readonly nesterov: boolean },
): State {
  const [count] = x.shape;
  const targets = tf.oneHot(labels, state.bias.size, 1, 0, 'float32');
  const logits = tf.add(tf.matMul(x, state.weights, false, true), state.bias);
  const shifted = tf.sub(logits, tf.max(logits, 1, true));
  const exponentials = tf.exp(shifted);
  const sums = tf.sum(exponentials, 1, true);
  const losses = tf.sub(tf.log(sums), tf.sum(tf.mul(shifted, targets), 1, true));
  const residuals = tf.div<tf.Tensor2D>(tf.sub(tf.div(exponentials, sums), targets), count);
  const stepOf = <T extends tf.Tensor>(gradient: T, velocity: T): [velocity: T, step: T] => {
    const next = tf.add<T>(tf.mul(velocity, momentum), gradient);
    return [next, nesterov ? tf.add<T>(gradient, tf.mul(next, momentum)) : next];
  };
  const [weightVelocity, ofWeights] = stepOf(tf.matMul<tf.Tensor2D>(residuals, x, true, false), state.weightVelocity);
  const [biasVelocity, ofBias] = stepOf(tf.sum<tf.Tensor1D>(residuals, 0), state.biasVelocity);
  return {
    weights: tf.sub<tf.Tensor2D>(state.weights, tf.mul(ofWeights, rate)),
    bias: tf.sub<tf.Tensor1D>(state.bias, tf.mul(ofBias, rate)),
    weightVelocity,
    biasVelocity,
    loss: tf.add<tf.Scalar>(state.loss, tf.mean(losses)),
  };
}

/** The numbers below `length` in random order: Fisher-Yates. */
function shuffled(length: number, seed: string): Int32Array {
  const random = seedrandom.alea(seed);
  const order = Int32Array.from({ length }, (_, i) => i);
  for (let last = length - 1; last > 0; last--) {
    const chosen = Math.floor(random() * (last + 1));
    [order[last], order[chosen]] = [order[chosen] as number, order[last] as number];
  }
  return order;
}

const diverged = (epoch: number, loss: number, learningRate: number): Error =>
  new Error(
    `sgdProbe: the loss of epoch ${epoch} is ${loss}: the learning rate (${learningRate}) is too high for features of this scale. Lower it, or use linearProbe.`,
  );
