import * as tf from '@tensorflow/tfjs-core';
import {
  type Chain,
  colorJitter,
  compose,
  normalizeImages,
  randomApply,
  randomGaussianBlur,
  randomGrayscale,
  randomHorizontalFlip,
  randomResizedCrop,
  randomSolarize,
  simclrChain,
} from '@tfjs-ssl/augmentations';
import { startEngine } from '@tfjs-ssl/engine';
import { packImages, unpackImages } from '@tfjs-ssl/ops';
import { describe, expect, it, vi } from 'vitest';
import { expectSameOnCpu } from '../../test-support/on-both.ts';
import type { GpuBackend } from '../backend.ts';
import { blurMemory } from './augment-code.ts';
import { planSegments } from './augment-plan.ts';

const jitter = () => colorJitter({ brightness: 0.8, contrast: 0.8, saturation: 0.8, hue: 0.2 });
const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** Chains that between them have every stage in several places, with the dispatches that they should take. */
const chains: Array<[name: string, chain: Chain, dispatches: number]> = [
  ['the paper’s', simclrChain({ size: 20, solarizeProbability: 0.2, blurProbability: 1 }), 2],
  ['SimCLR’s, normalised', simclrChain({ size: 11, strength: 0.5, normalize: imagenet }), 2],
  ['without antialias or blur', simclrChain({ size: 9, antialias: false, blurProbability: 0 }), 1],
  [
    'blur, jitter and flips in another order',
    compose([
      randomHorizontalFlip(),
      randomGaussianBlur({ kernelSize: 5, p: 0.7 }),
      randomHorizontalFlip(),
      randomApply(compose([jitter(), randomSolarize({ threshold: 0.3 }), jitter()]), { p: 0.8 }),
      randomHorizontalFlip(),
      randomGrayscale({ p: 0.3 }),
    ]),
    3,
  ],
  [
    'two crops',
    compose([
      randomResizedCrop({ size: [21, 13] }),
      jitter(),
      randomResizedCrop({ size: [7, 30] }),
      normalizeImages(imagenet),
    ]),
    2,
  ],
];

const imageSize = [18, 22] as const;
const count = 6;
const pixels = Uint8Array.from({ length: count * 18 * 22 * 3 }, (_, i) => (i * 89 + 17 * (i >> 7)) % 256);
const order = [5, 0, 3];

describe('the fused augmentation chain', () => {
  it.each(chains)('makes the views of the composition: %s', async (_, chain, dispatches) => {
    expect(planSegments(chain.stages ?? [], imageSize)).toHaveLength(dispatches);
    const keys = { seed: 5, epoch: 0, indices: [0, 1, 2], imageSize, views: 4 };
    await expectSameOnCpu(
      () => {
        const table = chain.sampleTable(keys);
        const packed = packImages(pixels, imageSize, 4);
        const indices = tf.tensor1d(order, 'int32');
        const views = chain.applyPacked(packed, indices, table);
        const floats = chain.apply(tf.randomUniform([3, ...imageSize, 3], 0, 1, 'float32', 2) as tf.Tensor4D, table);
        tf.dispose([...packed.shards, indices, table]);
        return { views, floats };
      },
      { atol: 2e-5 },
    );
  });

  it('crops and blurs as wide as the paper does at 64 pixels, and at odd sizes', async () => {
    for (const [from, to, blur] of [
      [64, 64, 7],
      [40, 23, 23],
      [7, 37, 3],
    ] as const) {
      const chain = compose([randomResizedCrop({ size: to }), jitter(), randomGaussianBlur({ kernelSize: blur })]);
      const keys = { seed: 1, epoch: 0, indices: [0, 1], imageSize: from, views: 2 };
      await expectSameOnCpu(
        () => {
          const table = chain.sampleTable(keys);
          const images = tf.randomUniform([2, from, from, 3], 0, 1, 'float32', 3) as tf.Tensor4D;
          return { views: chain.apply(images, table) };
        },
        { atol: 2e-5 },
      );
    }
  });

  it('blurs with kernels for which workgroups have no memory', async () => {
    await startEngine('webgpu', { softwareAdapter: true });
    const { device } = tf.backend() as unknown as GpuBackend;
    const little = { maxComputeWorkgroupStorageSize: blurMemory(9) - 1, maxComputeWorkgroupsPerDimension: 65535 };
    const limits = vi.spyOn(device, 'limits', 'get').mockReturnValue({
      ...little,
      minUniformBufferOffsetAlignment: 256,
    } as GPUSupportedLimits);
    const chain = compose([randomGaussianBlur({ kernelSize: 9, sigma: [1, 20] }), randomHorizontalFlip()]);
    const keys = { seed: 1, epoch: 0, indices: [0], imageSize: 19, views: 2 };
    await expectSameOnCpu(
      () => {
        const table = chain.sampleTable(keys);
        const images = tf.randomUniform([1, 19, 19, 3], 0, 1, 'float32', 3) as tf.Tensor4D;
        return { views: chain.apply(images, table) };
      },
      { atol: 2e-5 },
    );
    limits.mockRestore();
  });

  it('keeps what is not a number, in its own image', async () => {
    const chain = compose([
      randomResizedCrop({ size: 8 }),
      randomApply(jitter(), { p: 1 }),
      randomGaussianBlur({ kernelSize: 3 }),
    ]);
    const keys = { seed: 1, epoch: 0, indices: [0, 1], imageSize, views: 1 };
    await expectSameOnCpu(() => {
      const images = tf.randomUniform([2, ...imageSize, 3], 0, 1, 'float32', 3);
      const spoiled = tf.concat([tf.mul(tf.slice(images, 0, 1), Number.NaN), tf.slice(images, 1, 1)]) as tf.Tensor4D;
      const views = chain.apply(spoiled, chain.sampleTable(keys));
      return { spoiled: tf.cast(tf.isNaN(views), 'float32') };
    }, {});
  });
});

describe('AugmentPackedImages without stages', () => {
  it.each([[[4, 4]], [[3, 5]]] as const)(
    'unpacks images of %s pixels from any shard, and NaN for what is not there',
    async (size) => {
      const images = pixels.subarray(0, 5 * size[0] * size[1] * 3);
      for (const perShard of [5, 2]) {
        await expectSameOnCpu(
          () => {
            const packed = packImages(images, size, perShard);
            const unpacked = unpackImages(packed, tf.tensor1d([4, 0, 2, 2, 5, -1], 'int32'));
            const [there, missing] = [tf.slice(unpacked, 0, 4), tf.slice(unpacked, 4, 2)];
            return { there, missing: tf.cast(tf.isNaN(missing), 'float32') };
          },
          { atol: 2e-7 },
        );
      }
    },
  );
});
