import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { type Chain, compose, normalizeImages, randomHorizontalFlip, randomResizedCrop } from '@tfjs-ssl/augmentations';
import { extractFeatures, probeEvaluate } from '@tfjs-ssl/evaluation';
import { type FeedImages, imageFeed } from '@tfjs-ssl/feed';
import { linear, namedWeights, type TypedModel, typedModel } from '@tfjs-ssl/layers';
import { type NamedVariables, type StepEvent, sgd, Trainer, warmupCosine } from '@tfjs-ssl/trainer';
import { normalizing } from './blocks.ts';
import type { Data } from './data.ts';
import type { Accuracies, Transform } from './evaluate.ts';
import type { Settings } from './settings/table.ts';
import { normalizations } from './tables/normalizations.ts';

/** How an encoder is fine-tuned. */
export interface FineTuneOptions {
  readonly data: Data;
  /** Positions of the training images whose labels are used. */
  readonly labelled: Int32Array;
  readonly normalization: Settings['normalization'];
  readonly batchSize: number;
  readonly epochs: number;
  readonly learningRate: number;
  /** Decides the first weights of the classifier, the order of the images and their views. */
  readonly seed: number;
  readonly signal: AbortSignal;
  readonly onStep?: (step: StepEvent<'top1' | 'top5'>) => void;
}

/**
 * Trains an encoder and a linear classifier on it end to end, on labelled images that are cropped and flipped at random.
 *
 * SGD with Nesterov's momentum and without weight decay, as in the SimCLR paper (appendix B.5); the learning rate rises over the first tenth of the steps and falls along a cosine.
 *
 * @param encoder - is trained in place; the caller disposes it.
 * @returns top-1 and top-5 accuracy on the validation images, as fractions.
 * @throws the signal's reason; DivergenceError of the trainer.
 */
export async function fineTune(encoder: TypedModel, options: FineTuneOptions): Promise<Accuracies> {
  const { data, labelled, normalization, batchSize, epochs, learningRate, seed, signal, onStep } = options;
  const { train, val } = data;
  const classes = train.classNames.length;
  const model = classifierOn(encoder, classes, seed);
  const { parameters, buffers } = namedWeights(model);
  const feed = await imageFeed(subset(train, labelled), {
    chain: chainFor(train.imageShape, normalization),
    ...{ views: 1, labels: true, batchSize, seed, signal },
  });
  const totalSteps = epochs * feed.stepsPerEpoch;
  const trainer = new Trainer({
    ...{ parameters, buffers, inputs: feed.specs },
    loss: (inputs) => crossEntropy(model.apply(feed.views(inputs), { training: true }), inputs.labels, classes),
    optimizer: sgd({ momentum: 0.9, nesterov: true }),
    schedule: warmupCosine({ learningRate, warmupSteps: Math.floor(totalSteps / 10), totalSteps }),
  });
  try {
    for await (const event of trainer.fit({ epochs, signal, ...feed })) if (event.type === 'step') onStep?.(event);
    signal.throwIfAborted();
    return await accuraciesOf(encoder, parameters, val, { transform: normalizing(normalization), signal });
  } finally {
    feed.dispose();
    trainer.dispose();
    tf.dispose(['fc.weight', 'fc.bias'].map((name) => parameters[name] as tf.Variable));
  }
}

/** A model of the encoder and a new linear layer on its features; it shares the encoder's variables. */
function classifierOn(encoder: TypedModel, classes: number, seed: number): TypedModel {
  const [features] = encoder.outputs as [tfl.SymbolicTensor];
  const outputs = linear({ units: classes, seed, name: 'fc' }).apply(features) as tfl.SymbolicTensor;
  return typedModel(tfl.model({ inputs: encoder.inputs, outputs }), 2);
}

/** Random crops and flips alone, as in the SimCLR paper. */
function chainFor([size]: Data['train']['imageShape'], normalization: Settings['normalization']): Chain {
  const normalize = normalizations[normalization];
  return compose([
    randomResizedCrop({ size }),
    randomHorizontalFlip(),
    ...(normalize === null ? [] : [normalizeImages(normalize)]),
  ]);
}

/** Some of the images, by their positions. */
function subset({ imageShape, labels, read }: Data['train'], positions: Int32Array): FeedImages {
  const at = (indices: ArrayLike<number>) => Int32Array.from(indices, (index) => positions[index] as number);
  return {
    length: positions.length,
    imageShape,
    labels: positions.map((position) => labels[position] as number),
    read: (indices) => read(at(indices)),
  };
}

function crossEntropy(logits: tf.Tensor2D, labels: tf.Tensor1D, classes: number) {
  const targets = tf.oneHot(labels, classes, 1, 0, 'float32');
  const own = tf.sum(tf.mul(logits, targets), 1, true);
  const ranks = tf.sum(tf.cast(tf.greater(logits, own), 'float32'), 1);
  const within = (k: number) => tf.mean(tf.cast(tf.less(ranks, k), 'float32')) as tf.Scalar;
  return {
    loss: tf.losses.softmaxCrossEntropy(targets, logits) as tf.Scalar,
    metrics: { top1: within(1), top5: within(5) },
  };
}

async function accuraciesOf(
  encoder: TypedModel,
  parameters: NamedVariables,
  val: Data['val'],
  { transform, signal }: { readonly transform: Transform | undefined; readonly signal: AbortSignal },
): Promise<Accuracies> {
  const onProgress = () => signal.throwIfAborted();
  const features = await extractFeatures(encoder, val, { onProgress, ...(transform && { transform }) });
  const weights = tf.transpose(parameters['fc.weight'] as tf.Variable<tf.Rank.R2>);
  const bias = parameters['fc.bias'] as tf.Variable<tf.Rank.R1>;
  try {
    const { top1, top5 } = await probeEvaluate({ probe: { weights, bias }, features, labels: val.labels });
    return { top1, top5 };
  } finally {
    tf.dispose([features, weights]);
  }
}
