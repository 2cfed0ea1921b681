import type * as tf from '@tensorflow/tfjs-core';
import { type Chain, normalize as normalizeImages, simclrChain } from '@tfjs-ssl/augmentations';
import type { InputTensors } from '@tfjs-ssl/engine';
import type { FeedInputs, ImageFeed } from '@tfjs-ssl/feed';
import { contrastiveAccuracy, gatherViews } from '@tfjs-ssl/losses';
import type { World } from '@tfjs-ssl/ops';
import { mlpHead } from '@tfjs-ssl/projection-heads';
import { namedWeights, type TypedModel } from '@tfjs-ssl/resnet';
import { type NamedVariables, type Optimizer, type Schedule, Trainer } from '@tfjs-ssl/trainer';
import type { StepTensors } from './depth-feed.ts';
import type { Settings } from './settings/table.ts';
import { encoders } from './tables/encoders.ts';
import { losses } from './tables/losses.ts';
import { normalizations } from './tables/normalizations.ts';
import { optimizers } from './tables/optimizers.ts';
import { schedules } from './tables/schedules.ts';

/** The chain of random transforms that makes a view, in the paper's order. */
export function buildChain({ imageSize, augmentation, normalization }: Settings): Chain {
  const { jitterStrength: strength, ...others } = augmentation;
  const normalize = normalizations[normalization];
  return simclrChain({ size: imageSize, strength, ...others, ...(normalize && { normalize }) });
}

/** What images go through before the encoder when no view is made of them; undefined if nothing. */
export function normalizing(name: Settings['normalization']): ((images: tf.Tensor4D) => tf.Tensor4D) | undefined {
  const options = normalizations[name];
  return options === null ? undefined : (images) => normalizeImages(images, options);
}

/** Encoder and projection head, with all their variables by name. */
export interface Model {
  readonly encoder: TypedModel;
  readonly head: TypedModel;
  readonly parameters: NamedVariables;
  readonly buffers: NamedVariables;
}

/** The encoder and the head on its features; the seed decides every initial weight. */
export function buildModel({ imageSize, encoder: chosen, head: headSettings, seed }: Settings): Model {
  const { name, ...options } = chosen;
  const encoder = encoders[name]({ inputShape: [imageSize, imageSize, 3], ...options, seed });
  const inputSize = encoder.outputs[0]?.shape[1] as number;
  const head = mlpHead({ inputSize, ...headSettings, seed });
  return { encoder, head, ...namedWeights({ encoder, head }) };
}

/** How many parameters encoder and head have. */
export function countParameters({ parameters }: Model): { readonly encoder: number; readonly head: number } {
  const count = (part: string) =>
    Object.entries(parameters)
      .filter(([name]) => name.startsWith(part))
      .reduce((sum, [, { size }]) => sum + size, 0);
  return { encoder: count('encoder.'), head: count('head.') };
}

/** Accuracies of the pretext task: how often the other view is the nearest row, or among the five nearest. */
export type Metric = 'top1' | 'top5';

/** The ranks of a run. */
export interface Ranks {
  readonly world: World;
  /** Whether each compares its images, and normalises them, with those of its own part of the batch alone. */
  readonly apart: boolean;
}

/** Loss and pretext accuracies of a batch: augment, encode, project, compare with the images of all ranks unless they work apart. */
export function buildLoss(
  { loss: name, temperature }: Settings,
  { encoder, head }: Model,
  feed: ImageFeed,
  apart = false,
) {
  return (inputs: InputTensors<FeedInputs>) => {
    const { stochasticDepth }: StepTensors = inputs;
    const features = encoder.apply(feed.views(inputs), { training: true, ...(stochasticDepth && { stochasticDepth }) });
    const projections = head.apply(features, { training: true });
    const { loss, ranks } = losses[name](apart ? projections : gatherViews(projections), { temperature });
    return { loss, metrics: { top1: contrastiveAccuracy(ranks, 1), top5: contrastiveAccuracy(ranks, 5) } };
  };
}

/** The rule of the updates. */
export function buildOptimizer({ optimizer: { name, ...options } }: Settings): Optimizer {
  return optimizers[name](options);
}

/** The learning rate of every step. */
export function buildSchedule({ schedule, optimizer, epochs }: Settings, stepsPerEpoch: number): Schedule {
  const { name, ...warmup } = schedule;
  return schedules[name]({ ...warmup, learningRate: optimizer.learningRate, epochs, stepsPerEpoch });
}

/** The trainer of a run, alone or as one of the ranks of a world: its step is augment, encode, project, compare, update. */
export function buildTrainer(
  settings: Settings,
  model: Model,
  feed: ImageFeed,
  ranks?: Ranks,
): Trainer<FeedInputs, Metric> {
  return new Trainer({
    parameters: model.parameters,
    buffers: model.buffers,
    inputs: feed.specs,
    loss: buildLoss(settings, model, feed, ranks?.apart),
    optimizer: buildOptimizer(settings),
    schedule: buildSchedule(settings, feed.stepsPerEpoch),
    precision: settings.precision,
    ...(ranks && { world: ranks.world, batchStatistics: ranks.apart ? 'rank' : 'batch' }),
  });
}
