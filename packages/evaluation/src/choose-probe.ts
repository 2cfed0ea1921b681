import * as tf from '@tensorflow/tfjs-core';
import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { checkFeatures, checkFinite, checkLabels } from './check-arguments.ts';
import { type LinearProbe, type LinearProbeOptions, linearProbe } from './linear-probe.ts';
import { probeEvaluate } from './probe-evaluate.ts';
import { columnMoments } from './softmax-objective.ts';

/** Options of {@link chooseProbe}. */
export interface ChooseProbeOptions
  extends Pick<LinearProbeOptions, 'features' | 'labels' | 'classes' | 'maxIterations' | 'tolerance'> {
  /** The penalties to try, each > 0. Default: 1e-5, 1e-4, 1e-3 and 1e-2 times the mean variance of the columns, so the scale of the features does not matter. */
  readonly lambdas?: readonly number[];
  /** Fraction of each class's rows to hold out for the choice, above 0 and below 1. Default: 0.1. */
  readonly holdOut?: number;
  /** Called after every iteration; `lambda` is the penalty that is tried. */
  readonly onProgress?: (progress: { lambda: number; iteration: number; loss: number; gradientNorm: number }) => void;
}

/** What {@link chooseProbe} returns. */
export interface ChosenProbe extends LinearProbe {
  /** The penalty that was chosen. */
  readonly lambda: number;
  /** Top-1 accuracy on the held-out rows for each penalty. */
  readonly trials: ReadonlyArray<{ readonly lambda: number; readonly top1: number }>;
}

/**
 * Chooses the best of several penalties for {@link linearProbe}, then trains the probe with it.
 *
 * Each penalty is trained on a part of the rows and judged on the held-out rows, which are the last rows of each class. The best penalty is then trained on all rows. If two
 * penalties are equally good, the larger one wins. Evaluate the probe on images that are not among these rows.
 *
 * @param options - see {@link ChooseProbeOptions}.
 * @returns the probe trained on all rows (the caller disposes `weights` and `bias`), its penalty, and the accuracies of all penalties.
 * @throws RangeError like {@link linearProbe}, and if no class has a row to hold out.
 * @example
 * ```ts
 * import { chooseProbe, probeEvaluate } from '@tfjs-ssl/evaluation';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const labels = Int32Array.from({ length: 60 }, (_, i) => i % 2);
 * const shift = tf.mul(tf.reshape(tf.tensor1d(labels, 'int32'), [60, 1]), 2);
 * const features = tf.add<tf.Tensor2D>(tf.randomNormal([60, 8]), shift);
 * const probe = await chooseProbe({ features, labels, classes: 2 });
 * console.log(probe.lambda, (await probeEvaluate({ probe, features, labels })).top1);
 * ```
 */
export async function chooseProbe(options: ChooseProbeOptions): Promise<ChosenProbe> {
  const { features, labels, classes, holdOut = 0.1, onProgress } = options;
  checkFeatures('chooseProbe', 'features', features);
  checkNumber('chooseProbe', 'classes', classes, { min: 2, integer: true }, 'With one class every answer is right.');
  checkLabels('chooseProbe', 'labels', labels, features.shape[0], classes);
  checkNumber('chooseProbe', 'holdOut', holdOut, { above: 0, below: 1 }, 'Leave it out for 0.1.');
  await checkFinite('chooseProbe', 'features', features);
  const lambdas = [...(options.lambdas ?? (await usualLambdas(features)))].sort((a, b) => b - a);
  const advice = 'Leave it out for four of the usual size.';
  checkNumber('chooseProbe', 'lambdas.length', lambdas.length, { min: 1, integer: true }, advice);
  for (const lambda of lambdas) checkNumber('chooseProbe', 'lambdas', lambda, { above: 0 }, advice);

  const train = (part: { features: tf.Tensor2D; labels: ArrayLike<number> }, lambda: number) =>
    linearProbe({
      ...part,
      classes,
      lambda,
      ...(options.maxIterations === undefined ? {} : { maxIterations: options.maxIterations }),
      ...(options.tolerance === undefined ? {} : { tolerance: options.tolerance }),
      ...(onProgress && { onProgress: (progress) => onProgress({ ...progress, lambda }) }),
    });
  const trials: Array<{ lambda: number; top1: number }> = [];
  const [trained, held] = split(labels, classes, holdOut);
  const [part, judged] = [rowsOf(features, labels, trained), rowsOf(features, labels, held)];
  try {
    for (const lambda of lambdas) {
      const probe = await train(part, lambda);
      const { top1 } = await probeEvaluate({ probe, ...judged }).finally(() => tf.dispose([probe.weights, probe.bias]));
      trials.push({ lambda, top1 });
    }
  } finally {
    tf.dispose([part.features, judged.features]);
  }
  const { lambda } = trials.reduce((best, trial) => (trial.top1 > best.top1 ? trial : best));
  return { ...(await train({ features, labels }, lambda)), lambda, trials };
}

async function usualLambdas(features: tf.Tensor2D): Promise<number[]> {
  const { variance } = await columnMoments(features);
  const mean = variance.reduce((sum, value) => sum + value, 0) / variance.length;
  return [1e-5, 1e-4, 1e-3, 1e-2].map((factor) => factor * (mean || 1)); // of constant features all penalties make the same
}

/** Rows to train on and rows held out: the last ones of each class, of each at least one that has two. */
function split(labels: ArrayLike<number>, classes: number, holdOut: number): [Int32Array, Int32Array] {
  const rows = Array.from({ length: classes }, (): number[] => []);
  for (let row = 0; row < labels.length; row++) rows[labels[row] as number]?.push(row);
  const trained: number[] = [];
  const held: number[] = [];
  for (const own of rows) {
    const count = Math.min(own.length - 1, Math.max(1, Math.round(holdOut * own.length)));
    const kept = own.length - Math.max(count, 0);
    trained.push(...own.slice(0, kept));
    held.push(...own.slice(kept));
  }
  if (held.length === 0) {
    throw argumentError({
      fn: 'chooseProbe',
      argument: 'labels',
      required: 'hold two rows of a class, of which one is held out',
      got: 1,
      advice: 'Pass more images.',
    });
  }
  return [Int32Array.from(trained), Int32Array.from(held)];
}

function rowsOf(features: tf.Tensor2D, labels: ArrayLike<number>, rows: Int32Array) {
  const picked = tf.tidy(() => tf.gather(features, tf.tensor1d(rows, 'int32')));
  return { features: picked, labels: Int32Array.from(rows, (row) => labels[row] as number) };
}
