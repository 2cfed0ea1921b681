import * as tf from '@tensorflow/tfjs-core';
import { packImages } from '@tfjs-ssl/ops';
import { describeEngines, expectNoLeak, worstDeviation } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { compose } from './compose.ts';
import { type SimclrChainOptions, simclrChain } from './presets.ts';
import { randomHorizontalFlip } from './random-horizontal-flip.ts';
import { defineTransform } from './transform.ts';

/** SimCLR's chain with a random solarization, and a blur of every view. */
const solarizingChain = (options: SimclrChainOptions = {}) =>
  simclrChain({ solarizeProbability: 0.2, blurProbability: 1, ...options });

const imageSize = [18, 21] as const;
const imageBytes = 18 * 21 * 3;
const pixels = Uint8Array.from({ length: 9 * imageBytes }, (_, i) => (i * 89 + 17 * (i >> 8)) % 256);
const order = [8, 2, 5, 2];

describeEngines('applyPacked', () => {
  /** The images at the indices as `Chain.apply` takes them. */
  const floats = () =>
    tf.tensor4d(
      order.flatMap((i) => Array.from(pixels.subarray(i * imageBytes, (i + 1) * imageBytes), (b) => b / 255)),
      [4, ...imageSize, 3],
    );
  const chains = {
    paper: () => solarizingChain({ size: 16 }),
    'blur now and then, normalised': () =>
      simclrChain({ size: 13, normalize: { mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.4] } }),
    'without a crop': () => compose([randomHorizontalFlip()]),
    'with a transform that has no kernel': () =>
      compose([
        randomHorizontalFlip(),
        defineTransform({
          name: 'square',
          columns: [],
          probability: 0.5,
          neutral: {},
          draw: () => ({}),
          apply: (images) => tf.square(images),
        }),
      ]),
  };

  it.each(Object.entries(chains))('makes the views that apply makes of the float images: %s', async (_, make) => {
    const chain = make();
    const table = chain.sampleTable({ seed: 2, epoch: 1, indices: order, imageSize });
    const indices = tf.tensor1d(order, 'int32');
    const images = floats();
    const plain = chain.apply(images, table);
    const expected = await plain.data();
    for (const perShard of [9, 4]) {
      const packed = packImages(pixels, imageSize, perShard);
      await expectNoLeak(async () => {
        const views = chain.applyPacked(packed, indices, table);
        expect(views.shape).toEqual(plain.shape);
        expect(worstDeviation(await views.data(), expected, { atol: 1e-5 }).excess).toBeLessThanOrEqual(0);
        views.dispose();
      });
      tf.dispose([...packed.shards]);
    }
    tf.dispose([table, indices, images, plain]);
  });

  it('refuses a table that does not fit the indices', () => {
    const chain = solarizingChain({ size: 8 });
    const packed = packImages(pixels, imageSize);
    const indices = tf.tensor1d(order, 'int32');
    expect(() =>
      chain.applyPacked(packed, indices, tf.zeros([6, chain.columns.length])),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: chain: parameters must have a multiple of 4 rows, one per view of each image, got 6. Sample the table for these images.]`,
    );
    tf.dispose([...packed.shards, indices]);
  });
});
