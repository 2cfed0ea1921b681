import { configDifferences } from '@tfjs-ssl/trainer';
import { describe, expect, it } from 'vitest';
import { inTodaysNames } from './earlier.ts';
import { checkEffective, resolveSettings } from './resolve.ts';
import { flatten } from './table.ts';

/** `config.json` of a full run of the paper, as it was before there was `--set`. */
const earlier = {
  preset: 'paper',
  scale: 'full',
  precision: 'float32',
  seed: 3,
  classes: 200,
  imagesPerClass: 500,
  imageSize: 64,
  augmentation: { cropScale: [0.08, 1], solarizeProbability: 0.2, jitterStrength: 1, blurProbability: 1 },
  encoder: { stem: 'imagenet', width: 64 },
  head: { hidden: 256, output: 128 },
  temperature: 0.07,
  optimizer: { name: 'adam', weightDecay: 1e-4 },
  schedule: { name: 'epoch-cosine', learningRate: 3e-4, warmupEpochs: 0, warmupSteps: 0 },
  epochs: 50,
  batchSize: 256,
  neighbours: 200,
};

describe('resolveSettings', () => {
  it("gives the paper's settings", () => {
    expect(resolveSettings({ scale: 'full' })).toEqual({
      preset: 'paper',
      scale: 'full',
      precision: 'float32',
      seed: 0,
      imageSeed: 0,
      classes: 200,
      imagesPerClass: 500,
      imageSize: 64,
      normalization: 'none',
      augmentation: {
        cropScale: [0.08, 1],
        cropRatio: [3 / 4, 4 / 3],
        flipProbability: 0.5,
        solarizeProbability: 0.2,
        solarizeThreshold: 128 / 255,
        jitterProbability: 0.8,
        jitterStrength: 1,
        grayscaleProbability: 0.2,
        blurProbability: 1,
        blurSigma: [0.1, 2],
      },
      encoder: { name: 'resnet18', stem: 'imagenet', width: 64 },
      head: { hiddenSizes: [256], outputSize: 128, batchNorm: 'none' },
      loss: 'ntXent',
      temperature: 0.07,
      optimizer: { name: 'adam', learningRate: 3e-4, weightDecay: 1e-4, momentum: 0.9 },
      schedule: { name: 'epochCosine', warmupEpochs: 0, warmupSteps: 0 },
      epochs: 50,
      batchSize: 256,
      neighbours: 200,
    });
  });

  it('makes the baseline differ in the two modifications alone, at both scales', () => {
    for (const scale of ['full', 'quick'] as const) {
      expect(
        configDifferences(resolveSettings({ scale, preset: 'baseline' }), resolveSettings({ scale, preset: 'paper' })),
      ).toEqual([
        { name: 'preset', from: 'baseline', to: 'paper' },
        { name: 'augmentation.solarizeProbability', from: 0, to: 0.2 },
        { name: 'head.hiddenSizes', from: [512], to: [256] },
      ]);
    }
  });

  it("makes SimCLR's recipe differ from the baseline at full scale, and not at the quick one", () => {
    const simclr = (scale: 'full' | 'quick') =>
      configDifferences(
        resolveSettings({ scale, preset: 'baseline' }),
        resolveSettings({ scale, preset: 'simclr' }),
      ).map(({ name, to }) => [name, to]);
    expect(Object.fromEntries(simclr('full'))).toEqual({
      preset: 'simclr',
      'augmentation.blurProbability': 0.5,
      temperature: 0.5,
      'optimizer.name': 'lars',
      'optimizer.learningRate': 1.2,
      'optimizer.weightDecay': 1e-6,
      'schedule.name': 'cosine',
      'schedule.warmupEpochs': 10,
    });
    expect(simclr('quick')).toEqual([['preset', 'simclr']]);
  });

  it('keeps the quick scale as it was tuned', () => {
    const changes = configDifferences(resolveSettings({ scale: 'full' }), resolveSettings({ scale: 'quick' }));
    expect(Object.fromEntries(changes.map(({ name, to }) => [name, to]))).toEqual({
      scale: 'quick',
      classes: 10,
      'augmentation.cropScale': [0.2, 1],
      'augmentation.jitterStrength': 0.5,
      'augmentation.blurProbability': 0,
      'encoder.width': 16,
      temperature: 0.1,
      'optimizer.learningRate': 2e-3,
      'optimizer.weightDecay': 1e-6,
      'schedule.name': 'cosine',
      'schedule.warmupSteps': 20,
      epochs: 16,
      batchSize: 32,
      neighbours: 20,
    });
  });

  it('takes the learning rate of LARS and SGD from the batch, unless it is given', () => {
    const rate = (given: object) => resolveSettings(given as Record<string, unknown>).optimizer.learningRate;
    expect(rate({ preset: 'simclr', scale: 'full', batchSize: 64 })).toBe(0.6);
    expect(rate({ 'optimizer.name': 'lars', batchSize: 64 })).toBe(0.6);
    expect(rate({ 'optimizer.name': 'sgd', batchSize: 512 })).toBe(0.06);
    expect(rate({ 'optimizer.name': 'sgd', 'optimizer.learningRate': 0.5 })).toBe(0.5);
    expect(rate({ 'optimizer.name': 'adamw' })).toBe(2e-3);
  });

  it('gives what it was given', () => {
    const settings = resolveSettings({
      preset: 'simclr',
      'head.hiddenSizes': [8, 9],
      'augmentation.blurSigma': [1, 1],
    });
    expect(resolveSettings(flatten(settings))).toEqual(settings);
  });
});

describe('an earlier config.json', () => {
  it('has the settings of today', () => {
    expect(resolveSettings(flatten(inTodaysNames(earlier)))).toEqual(
      resolveSettings({ scale: 'full', seed: 3, imageSeed: 3 }),
    );
    const quick = {
      ...earlier,
      schedule: { name: 'warmup-cosine', learningRate: 2e-3, warmupEpochs: 1, warmupSteps: 20 },
      head: { hidden: 512, output: 64 },
    };
    expect(inTodaysNames(quick)).toMatchObject({
      schedule: { name: 'cosine', warmupEpochs: 1, warmupSteps: 20 },
      optimizer: { name: 'adam', learningRate: 2e-3, weightDecay: 1e-4 },
      head: { hiddenSizes: [512], outputSize: 64 },
    });
  });

  it('of today stays as it is', () => {
    const settings = resolveSettings() as unknown as Record<string, unknown>;
    expect(inTodaysNames(settings)).toBe(settings);
  });
});

describe('checkEffective', () => {
  it('refuses what would change nothing', () => {
    const refusal = (given: Record<string, unknown>) => () =>
      checkEffective(new Set(Object.keys(given)), resolveSettings(given));
    expect(
      refusal({ 'optimizer.momentum': 0.95, 'schedule.name': 'constant', 'schedule.warmupSteps': 5 }),
    ).toThrowErrorMatchingInlineSnapshot(`
      [UsageError: optimizer.momentum has no effect without optimizer.name sgd or lars.
      schedule.warmupSteps has no effect without schedule.name cosine.
      Set both, or leave it out.]
    `);
    expect(refusal({ 'augmentation.blurSigma': [1, 2] })).toThrow('without augmentation.blurProbability above 0');
    expect(refusal({ 'augmentation.blurSigma': [1, 2], 'augmentation.blurProbability': 0.5 })).not.toThrow();
    expect(refusal({ 'optimizer.name': 'sgd', 'optimizer.momentum': 0.95 })).not.toThrow();
  });
});
