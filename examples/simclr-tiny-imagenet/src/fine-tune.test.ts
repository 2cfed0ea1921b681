import { generatedImages } from '@tfjs-ssl/datasets';
import { startEngine } from '@tfjs-ssl/engine';
import { encodeWeights, namedWeights, resnet18 } from '@tfjs-ssl/resnet';
import { expectNoLeak } from '@tfjs-ssl/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { type FineTuneOptions, fineTune } from './fine-tune.ts';

const images = (split: 'train' | 'val') => generatedImages({ classes: 2, imagesPerClass: 24, size: 32, split });
const data = { name: 'generated', path: null, train: images('train'), val: images('val') } as const;
const options: FineTuneOptions = {
  ...{ data, normalization: 'none', batchSize: 16, epochs: 15, learningRate: 0.05, seed: 1 },
  labelled: Int32Array.from({ length: 48 }, (_, i) => i),
  signal: new AbortController().signal,
};
const encoder = (seed = 0) => resnet18({ inputShape: [32, 32, 3], width: 8, seed });

beforeAll(() => startEngine('auto'));

describe('fineTune', () => {
  it('learns, and leaves no tensor', async () => {
    await expectNoLeak(async () => {
      const own = encoder();
      const losses: number[] = [];
      const { top1, top5 } = await fineTune(own, { ...options, onStep: ({ loss }) => losses.push(loss) });
      own.dispose();
      expect(losses).toHaveLength(45);
      expect(losses[0]).toBeGreaterThan(0.5);
      expect(losses.at(-1)).toBeLessThan(0.3);
      expect(top1).toBeGreaterThan(0.8); // chance: a half
      expect(top5).toBe(1);
    });
  });

  it('gives the same weights and accuracies for the same seed', async () => {
    const train = async (seed: number) => {
      const own = encoder();
      const result = await fineTune(own, { ...options, epochs: 1, seed });
      return { result, weights: await encodeWeights(own) };
    };
    const first = await train(1);
    expect(await train(1)).toEqual(first);
    expect((await train(2)).weights).not.toEqual(first.weights);
  });

  it('trains all weights of the encoder', async () => {
    const [own, before] = [encoder(), encoder()];
    await fineTune(own, { ...options, epochs: 1 });
    const { parameters } = namedWeights(own);
    for (const [name, variable] of Object.entries(namedWeights(before).parameters)) {
      expect(await parameters[name]?.data(), name).not.toEqual(await variable.data());
    }
    own.dispose();
    before.dispose();
  });

  it('ends with the reason of its signal', async () => {
    const controller = new AbortController();
    const own = encoder();
    const stopped = fineTune(own, { ...options, signal: controller.signal, onStep: () => controller.abort('enough') });
    await expect(stopped).rejects.toBe('enough');
    own.dispose();
  });
});
