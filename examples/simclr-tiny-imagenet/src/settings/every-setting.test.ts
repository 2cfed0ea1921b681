import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import type { Batch } from '@tfjs-ssl/datasets';
import { constantSchedule, Trainer } from '@tfjs-ssl/trainer';
import { describe, expect, it } from 'vitest';
import { buildLoss, buildOptimizer, buildSchedule, type Model } from '../blocks.ts';
import { type Experiment, withExperiment } from '../open.ts';
import { parseOptions } from '../options.ts';
import { openJob } from '../ranks/job.ts';
import { fields } from './table.ts';

/** Small enough that every setting can be tried; all probabilities are away from 0 and 1. */
const base = {
  classes: '3',
  imagesPerClass: '8',
  batchSize: '8',
  epochs: '2',
  imageSize: '32',
  'encoder.width': '2',
  'augmentation.blurProbability': '0.5',
};

/** Another value of each setting, with those that it needs. */
const changes: Readonly<Record<string, readonly string[]>> = {
  preset: ['preset=baseline'],
  scale: ['scale=full'],
  precision: ['precision=mixed'],
  seed: ['seed=1'],
  imageSeed: ['imageSeed=1'],
  classes: ['classes=2'],
  imagesPerClass: ['imagesPerClass=9'],
  imageSize: ['imageSize=40'],
  normalization: ['normalization=imagenet'],
  'augmentation.cropScale': ['augmentation.cropScale=0.5,0.6'],
  'augmentation.cropRatio': ['augmentation.cropRatio=1,1'],
  'augmentation.flipProbability': ['augmentation.flipProbability=0'],
  'augmentation.solarizeProbability': ['augmentation.solarizeProbability=1'],
  'augmentation.solarizeThreshold': ['augmentation.solarizeThreshold=0.1'],
  'augmentation.jitterProbability': ['augmentation.jitterProbability=0'],
  'augmentation.jitterStrength': ['augmentation.jitterStrength=1'],
  'augmentation.grayscaleProbability': ['augmentation.grayscaleProbability=1'],
  'augmentation.blurProbability': ['augmentation.blurProbability=1'],
  'augmentation.blurSigma': ['augmentation.blurSigma=[2,3]'],
  'encoder.name': ['encoder.name=resnet34'],
  'encoder.stem': ['encoder.stem=small'],
  'encoder.width': ['encoder.width=3'],
  'head.hiddenSizes': ['head.hiddenSizes=8,8'],
  'head.outputSize': ['head.outputSize=8'],
  'head.batchNorm': ['head.batchNorm=all'],
  loss: ['loss=dcl'],
  temperature: ['temperature=0.2'],
  'optimizer.name': ['optimizer.name=adamw'],
  'optimizer.learningRate': ['optimizer.learningRate=1e-3'],
  'optimizer.weightDecay': ['optimizer.weightDecay=0.1'],
  'optimizer.momentum': ['optimizer.momentum=0.5', 'optimizer.name=sgd', 'optimizer.learningRate=0.002'],
  'schedule.name': ['schedule.name=constant'],
  'schedule.warmupEpochs': ['schedule.warmupEpochs=1', 'schedule.warmupSteps=0'],
  'schedule.warmupSteps': ['schedule.warmupSteps=0'],
  epochs: ['epochs=3'],
  batchSize: ['batchSize=6'],
  neighbours: ['neighbours=5'],
};

/** What a setting may reach, each as a text. */
async function blocksOf(experiment: Experiment): Promise<Record<string, string>> {
  const { settings, data, chain, feed, model, neighbours, totalSteps } = experiment;
  const { imageSize: size } = settings;
  const indices = Array.from({ length: 16 }, (_, i) => i);
  const views = chain.makeViews(tf.randomUniform<tf.Rank.R4>([16, size, size, 3], 0, 1, 'float32', 1), {
    ...{ seed: settings.seed, epoch: 0, indices },
  });
  const stream = feed.batches({ epoch: 0, step: 0 });
  const batch = (await stream.next()).value as Batch;
  await stream.return();
  const schedule = buildSchedule(settings, feed.stepsPerEpoch);
  const blocks = {
    images: hash((await data.train.read([0, data.train.length - 1])).slice(), data.train.length, data.val.length),
    views: hash(await views.data(), ...views.shape),
    batches: hash(Int32Array.from(batch.indices)),
    encoder: await weightsOf(model, 'encoder.'),
    head: await weightsOf(model, 'head.'),
    loss: await lossOf(experiment),
    updates: await updatesOf(experiment),
    rates: Array.from({ length: totalSteps }, (_, step) => schedule(step)).join(),
    evaluation: `${neighbours}`,
    length: `${totalSteps}`,
  };
  views.dispose();
  return blocks;
}

function hash(data: NodeJS.ArrayBufferView, ...more: unknown[]): string {
  return createHash('sha256').update(data).update(more.join()).digest('hex');
}

async function weightsOf({ parameters, buffers }: Model, part: string): Promise<string> {
  const texts = Object.entries({ ...parameters, ...buffers })
    .filter(([name]) => name.startsWith(part))
    .map(async ([name, variable]) => `${name} ${hash(await variable.data(), ...variable.shape)}`);
  return (await Promise.all(texts)).join('\n');
}

/** The loss of fixed projections. */
async function lossOf({ settings, feed }: Experiment): Promise<string> {
  const asIs = { apply: (x: tf.Tensor) => x };
  const model = { encoder: asIs, head: asIs } as unknown as Model;
  const views = tf.randomNormal<tf.Rank.R4>([8, 4] as never, 0, 1, 'float32', 1);
  const loss = buildLoss(settings, model, { ...feed, views: () => views })({} as never);
  const text = `${(await loss.loss.data())[0]}`;
  tf.dispose([views, loss]);
  return text;
}

/** A weight after three updates of the optimizer with one learning rate. */
async function updatesOf({ settings }: Experiment): Promise<string> {
  const weight = tf.variable(tf.tensor2d([[1, -2]]));
  const trainer = new Trainer({
    parameters: { weight },
    inputs: { x: { shape: [2, 1] } },
    loss: ({ x }) => ({ loss: tf.mean(tf.square(tf.matMul(weight, x as tf.Tensor2D))) as tf.Scalar }),
    optimizer: buildOptimizer(settings),
    schedule: constantSchedule({ learningRate: 0.1 }),
  });
  const x = tf.tensor2d([[1], [3]]);
  for (let i = 0; i < 3; i++) await trainer.step({ x });
  const text = `${await weight.data()}`;
  trainer.dispose();
  tf.dispose([weight, x]);
  return text;
}

async function open(assignments: readonly string[]): Promise<Record<string, string>> {
  const names = new Set(assignments.map((assignment) => assignment.split('=', 1)[0]));
  const others = Object.entries(base).filter(([name]) => !names.has(name));
  const all = [...others.map(([name, value]) => `${name}=${value}`), ...assignments];
  const args = ['--engine', 'simd', '--dry-run', ...all.flatMap((assignment) => ['--set', assignment])];
  const parsed = parseOptions(args);
  if (typeof parsed === 'string') throw new Error('not asked for');
  return withExperiment(parsed, { write: () => true }, new AbortController().signal, await openJob(), blocksOf);
}

describe('every setting', () => {
  it('is tried here', () => {
    expect(Object.keys(changes)).toEqual([...fields.keys()]);
  });

  it('reaches the blocks that it concerns, and no other', async () => {
    const before = await open([]);
    const reached: Record<string, string> = {};
    for (const [name, assignments] of Object.entries(changes)) {
      if (name === 'precision') continue;
      const [, ...needed] = assignments;
      const [from, to] = [needed.length > 0 ? await open(needed) : before, await open(assignments)];
      reached[name] = Object.keys(to)
        .filter((block) => from[block] !== to[block])
        .join(', ');
    }
    expect(reached).toMatchInlineSnapshot(`
      {
        "augmentation.blurProbability": "views",
        "augmentation.blurSigma": "views",
        "augmentation.cropRatio": "views",
        "augmentation.cropScale": "views",
        "augmentation.flipProbability": "views",
        "augmentation.grayscaleProbability": "views",
        "augmentation.jitterProbability": "views",
        "augmentation.jitterStrength": "views",
        "augmentation.solarizeProbability": "views",
        "augmentation.solarizeThreshold": "views",
        "batchSize": "batches, rates, length",
        "classes": "images, batches, rates, evaluation, length",
        "encoder.name": "encoder",
        "encoder.stem": "encoder",
        "encoder.width": "encoder, head",
        "epochs": "rates, length",
        "head.batchNorm": "head",
        "head.hiddenSizes": "head",
        "head.outputSize": "head",
        "imageSeed": "images",
        "imageSize": "images, views",
        "imagesPerClass": "images, batches",
        "loss": "loss",
        "neighbours": "evaluation",
        "normalization": "views",
        "optimizer.learningRate": "rates",
        "optimizer.momentum": "updates",
        "optimizer.name": "updates",
        "optimizer.weightDecay": "updates",
        "preset": "views, head",
        "scale": "views, loss, rates, evaluation",
        "schedule.name": "rates",
        "schedule.warmupEpochs": "rates",
        "schedule.warmupSteps": "rates",
        "seed": "views, batches, encoder, head",
        "temperature": "loss",
      }
    `);
  });

  it('reaches the engine: its precision', async () => {
    await expect(open(['precision=mixed'])).rejects.toThrow(/precision mixed/);
  });
});
