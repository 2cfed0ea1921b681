import { configDifferences } from '@tfjs-ssl/trainer';
import { describe, expect, it } from 'vitest';
import { parseOptions } from './options.ts';
import { resolveSettings } from './settings.ts';

function settings(...args: string[]) {
  const parsed = parseOptions(['--scale', 'full', ...args]);
  if (parsed === 'help') throw new Error('not asked for');
  return resolveSettings(parsed.options);
}

describe('resolveSettings', () => {
  it("gives the paper's settings", () => {
    expect(settings()).toEqual({
      preset: 'paper',
      scale: 'full',
      precision: 'float32',
      seed: 0,
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
    });
  });

  it('makes the baseline differ in the two modifications alone', () => {
    expect(configDifferences(settings('--preset', 'baseline'), settings())).toEqual([
      { name: 'preset', from: 'baseline', to: 'paper' },
      { name: 'augmentation.solarizeProbability', from: 0, to: 0.2 },
      { name: 'head.hidden', from: 512, to: 256 },
    ]);
  });

  it('takes sizes from the options', () => {
    expect(
      settings('--scale', 'quick', '--classes', '4', '--epochs', '2', '--batch-size', '8', '--images-per-class', '20'),
    ).toMatchObject({
      classes: 4,
      epochs: 2,
      batchSize: 8,
      imagesPerClass: 20,
    });
  });
});
