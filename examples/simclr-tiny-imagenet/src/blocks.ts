import { type Chain, simclrChain } from '@tfjs-ssl/augmentations';
import type { InputTensors } from '@tfjs-ssl/engine';
import type { FeedInputs, ImageFeed } from '@tfjs-ssl/feed';
import { contrastiveAccuracy, ntXentWithRanks } from '@tfjs-ssl/losses';
import { mlpHead } from '@tfjs-ssl/projection-heads';
import { namedWeights, resnet18, type TypedModel } from '@tfjs-ssl/resnet';
import {
  adam,
  epochCosine,
  lars,
  type NamedVariables,
  type Optimizer,
  type Schedule,
  Trainer,
  warmupCosine,
} from '@tfjs-ssl/trainer';
import type { Settings } from './settings.ts';

/** The chain of random transforms that makes a view, in the paper's order. */
export function buildChain({ imageSize, augmentation }: Settings): Chain {
  const { jitterStrength: strength, ...probabilities } = augmentation;
  return simclrChain({ size: imageSize, strength, ...probabilities });
}

/** Encoder and projection head, with all their variables by name. */
export interface Model {
  readonly encoder: TypedModel;
  readonly head: TypedModel;
  readonly parameters: NamedVariables;
  readonly buffers: NamedVariables;
}

/** ResNet-18 and the head on its features; the seed decides every initial weight. */
export function buildModel(settings: Settings): Model {
  const { imageSize, encoder: encoderSettings, head: headSettings, seed } = settings;
  const encoder = resnet18({ inputShape: [imageSize, imageSize, 3], ...encoderSettings, seed });
  const head = mlpHead({
    inputSize: 8 * encoderSettings.width,
    hiddenSizes: [headSettings.hidden],
    outputSize: headSettings.output,
    seed,
  });
  return { encoder, head, ...namedWeights({ encoder, head }) };
}

/** Accuracies of the pretext task: how often the other view is the nearest row, or among the five nearest. */
export type Metric = 'top1' | 'top5';

/** Loss and pretext accuracies of a batch: augment, encode, project, compare. */
export function buildLoss({ temperature }: Settings, { encoder, head }: Model, feed: ImageFeed) {
  return (inputs: InputTensors<FeedInputs>) => {
    const features = encoder.apply(feed.views(inputs), { training: true });
    const { loss, ranks } = ntXentWithRanks(head.apply(features, { training: true }), { temperature });
    return { loss, metrics: { top1: contrastiveAccuracy(ranks, 1), top5: contrastiveAccuracy(ranks, 5) } };
  };
}

/** The optimizer of a preset. */
export function buildOptimizer({ optimizer }: Settings): Optimizer {
  const { name, weightDecay } = optimizer;
  return name === 'adam' ? adam({ weightDecay }) : lars({ weightDecay });
}

/** The learning rate of every step. */
export function buildSchedule({ schedule, epochs }: Settings, stepsPerEpoch: number): Schedule {
  const { name, learningRate, warmupEpochs } = schedule;
  // the paper's "T_max": as many epochs as an epoch has steps, and nothing before the eleventh
  if (name === 'epoch-cosine')
    return epochCosine({ learningRate, stepsPerEpoch, epochs: stepsPerEpoch, firstEpoch: 10 });
  const totalSteps = epochs * stepsPerEpoch;
  const warmupSteps = Math.min(warmupEpochs * stepsPerEpoch + schedule.warmupSteps, Math.floor(totalSteps / 5));
  return warmupCosine({ learningRate, warmupSteps, totalSteps });
}

/** The trainer of a run: its step is augment, encode, project, compare, update. */
export function buildTrainer(settings: Settings, model: Model, feed: ImageFeed): Trainer<FeedInputs, Metric> {
  return new Trainer({
    parameters: model.parameters,
    buffers: model.buffers,
    inputs: feed.specs,
    loss: buildLoss(settings, model, feed),
    optimizer: buildOptimizer(settings),
    schedule: buildSchedule(settings, feed.stepsPerEpoch),
    precision: settings.precision,
  });
}
