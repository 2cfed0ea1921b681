import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import {
  chooseProbe,
  confusion,
  effectiveRank,
  extractFeatures,
  type KnnEvaluation,
  knnEvaluate,
  probeEvaluate,
  sgdProbe,
  uniformity,
} from '@tfjs-ssl/evaluation';
import type { PackedImages } from '@tfjs-ssl/ops';
import type { Data } from './data.ts';

/** Temperature of the neighbours' votes, as in the kNN monitors of MoCo and SimSiam. */
const temperature = 0.1;

/** Top-1 and top-5 accuracy as fractions. */
export interface Accuracies {
  readonly top1: number;
  readonly top5: number;
}

/** Measured during training: kNN on the validation images, and signs of collapse. */
export interface Monitor {
  readonly knn: Accuracies & { readonly k: number };
  /** Dimensions that the features of the validation images use. */
  readonly effectiveRank: number;
  /** Dimensions of the features. */
  readonly dimensions: number;
  /** 0 if all features are the same point. */
  readonly uniformity: number;
}

/** Measured on a trained encoder. */
export interface FullEvaluation extends Omit<Monitor, 'knn'> {
  readonly knn: ReadonlyArray<Accuracies & { readonly k: number }>;
  readonly linear: Accuracies & {
    readonly lambda: number;
    readonly converged: boolean;
    /** Held-out accuracy of each penalty tried. */
    readonly trials: ReadonlyArray<{ readonly lambda: number; readonly top1: number }>;
  };
  /** The linear probe by SGD, if it was asked for. */
  readonly linearSgd?: Accuracies & {
    readonly epochs: number;
    readonly batchSize: number;
    readonly learningRate: number;
  };
  /** Accuracy of the linear probe for each class, by name; null for a class without validation images. */
  readonly classAccuracies: Readonly<Record<string, number | null>>;
  /** Classes that the linear probe confuses, as fractions of the images of the first class. */
  readonly confused: ReadonlyArray<{ readonly label: string; readonly prediction: string; readonly fraction: number }>;
}

/** How the features are made. */
export interface FeatureOptions {
  /** Stops it. */
  readonly signal: AbortSignal;
  /** Applied to the images before the encoder. */
  readonly transform?: Transform | undefined;
  /** The training images, if the engine keeps them: they are not uploaded again. */
  readonly kept?: PackedImages | null;
}

interface Features {
  readonly bank: tf.Tensor2D;
  readonly queries: tf.Tensor2D;
}

export type Transform = (images: tf.Tensor4D) => tf.Tensor4D;

/** Calls `use` with the features of the training and validation images, then disposes them. */
async function withFeatures<Result>(
  encoder: LayersModel,
  data: Data,
  { signal, transform, kept }: FeatureOptions,
  use: (features: Features) => Promise<Result>,
): Promise<Result> {
  const options = { onProgress: () => signal.throwIfAborted(), ...(transform && { transform }) };
  const bank = await extractFeatures(encoder, kept ?? data.train, options);
  try {
    const queries = await extractFeatures(encoder, data.val, options);
    try {
      return await use({ bank, queries });
    } finally {
      queries.dispose();
    }
  } finally {
    bank.dispose();
  }
}

const neighboursOf = ({ bank, queries }: Features, { train, val }: Data, ks: readonly number[], signal: AbortSignal) =>
  knnEvaluate({
    bank,
    bankLabels: train.labels,
    queries,
    queryLabels: val.labels,
    classes: train.classNames.length,
    ks,
    temperature,
    onProgress: () => signal.throwIfAborted(),
  });

const accuraciesOf = ({ k, top1, top5 }: KnnEvaluation) => ({ k, top1, top5 });

async function spreadOf(queries: tf.Tensor2D): Promise<Omit<Monitor, 'knn'>> {
  return {
    effectiveRank: await effectiveRank(queries),
    dimensions: queries.shape[1],
    uniformity: await uniformity(queries),
  };
}

/**
 * Evaluates an encoder in its current state: kNN on the validation images, effective rank and uniformity of their features.
 *
 * @param neighbours - k, at most the number of training images.
 * @throws the signal's reason.
 */
export function monitorOf(
  encoder: LayersModel,
  data: Data,
  neighbours: number,
  options: FeatureOptions,
): Promise<Monitor> {
  const { signal } = options;
  return withFeatures(encoder, data, options, async (features) => {
    const [knn] = await neighboursOf(features, data, [neighbours], signal);
    return { knn: accuraciesOf(knn as KnnEvaluation), ...(await spreadOf(features.queries)) };
  });
}

/** The values of a monitor by their names in TensorBoard. */
export function scalarsOf({ knn, effectiveRank: rank, uniformity: spread }: Monitor): Record<string, number> {
  return {
    'evaluation/knn': knn.top1,
    'evaluation/knn-top5': knn.top5,
    'evaluation/effective-rank': rank,
    'evaluation/uniformity': spread,
  };
}

/** The accuracies of the linear probe by their names in TensorBoard. */
export function scalarsOfLinear({ linear, linearSgd }: FullEvaluation): Record<string, number> {
  return {
    'evaluation/linear': linear.top1,
    'evaluation/linear-top5': linear.top5,
    ...(linearSgd && { 'evaluation/linear-sgd': linearSgd.top1, 'evaluation/linear-sgd-top5': linearSgd.top5 }),
  };
}

const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)}%`;

const spreadText = ({ effectiveRank: rank, dimensions, uniformity: spread }: Omit<Monitor, 'knn'>): string =>
  `effective rank ${rank.toFixed(1)} of ${dimensions}, uniformity ${spread.toFixed(2)}`;

/** A monitor in a line. */
export function monitorLine(monitor: Monitor): string {
  const { k, top1, top5 } = monitor.knn;
  return `kNN (k = ${k}) top-1 ${percent(top1)}, top-5 ${percent(top5)}, ${spreadText(monitor)}`;
}

/**
 * Evaluates a trained encoder by kNN and by the linear probe, whose penalty is chosen on held-out training images.
 *
 * @param options - `sgd`: whether to train a probe by SGD too; `print` receives lines for people.
 * @throws the signal's reason; Error if a weight of the encoder has changed.
 */
export async function evaluateFully(
  encoder: LayersModel,
  data: Data,
  options: FeatureOptions & { readonly sgd?: boolean; readonly print: (line: string) => void },
): Promise<FullEvaluation> {
  const { signal, sgd = false, print } = options;
  const { train, val } = data;
  const classes = train.classNames.length;
  const before = await hashOf(encoder);
  const evaluation = await withFeatures(encoder, data, options, async (features) => {
    const ks = [...new Set([20, 200].map((k) => Math.min(k, train.length)))];
    const knn = (await neighboursOf(features, data, ks, signal)).map(accuraciesOf);
    for (const { k, top1, top5 } of knn) print(`kNN (k = ${k}): top-1 ${percent(top1)}, top-5 ${percent(top5)}`);
    const spread = await spreadOf(features.queries);
    print(`Features of the validation images: ${spreadText(spread)}`);
    const probe = await chooseProbe({
      features: features.bank,
      labels: train.labels,
      classes,
      onProgress: () => signal.throwIfAborted(),
    });
    const { lambda, converged, trials } = probe;
    const { top1, top5, predictions } = await probeEvaluate({
      probe,
      features: features.queries,
      labels: val.labels,
    }).finally(() => tf.dispose([probe.weights, probe.bias]));
    print(`Linear probe (lambda ${lambda.toPrecision(2)}): top-1 ${percent(top1)}, top-5 ${percent(top5)}`);
    const linearSgd = sgd ? await bySgd(features, data, signal) : null;
    if (linearSgd !== null) {
      print(
        `Linear probe by SGD (${linearSgd.epochs} epochs): top-1 ${percent(linearSgd.top1)}, top-5 ${percent(linearSgd.top5)}`,
      );
    }
    const { classAccuracies, pairs } = confusion({ labels: val.labels, predictions, classes });
    const name = (label: number) => train.classNames[label] as string;
    const confused = pairs.map(({ label, prediction, fraction }) => ({
      label: name(label),
      prediction: name(prediction),
      fraction,
    }));
    if (confused.length > 0) print('Most confused classes, as a share of the images of the first:');
    for (const pair of confused) print(`  ${pair.label} taken for ${pair.prediction}: ${percent(pair.fraction)}`);
    return {
      knn,
      linear: { top1, top5, lambda, converged, trials },
      ...(linearSgd && { linearSgd }),
      ...spread,
      classAccuracies: Object.fromEntries(classAccuracies.map((accuracy, label) => [name(label), accuracy])),
      confused,
    };
  });
  if ((await hashOf(encoder)) !== before)
    throw new Error(
      'evaluate: the encoder must keep its weights, got changed weights. This is a bug: please report it.',
    );
  return evaluation;
}

/** The probe of most papers: SGD on the features as they are (SimCLR, appendix B.6). */
async function bySgd(
  { bank, queries }: Features,
  { train, val }: Data,
  signal: AbortSignal,
): Promise<NonNullable<FullEvaluation['linearSgd']>> {
  const recipe = { epochs: 90, batchSize: 256, learningRate: 0.1 };
  const probe = await sgdProbe({
    ...recipe,
    features: bank,
    labels: train.labels,
    classes: train.classNames.length,
    onProgress: () => signal.throwIfAborted(),
  });
  const { top1, top5 } = await probeEvaluate({ probe, features: queries, labels: val.labels }).finally(() =>
    tf.dispose([probe.weights, probe.bias]),
  );
  return { top1, top5, ...recipe };
}

/** A hash of all weights and running statistics. */
async function hashOf(encoder: LayersModel): Promise<string> {
  const hash = createHash('sha256');
  for (const weight of encoder.getWeights())
    hash.update(new Uint8Array((await weight.data<'float32'>()).slice().buffer));
  return hash.digest('hex');
}
