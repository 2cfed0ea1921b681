import * as tf from '@tensorflow/tfjs-core';
import { imageTensor, simclrChain } from '@tfjs-ssl/augmentations';
import { batches, generatedImages } from '@tfjs-ssl/datasets';
import { hasKernel, keepsImages } from '@tfjs-ssl/ops';
import { describeEngines, worstDeviation } from '@tfjs-ssl/testing';
import { afterEach, expect, expectTypeOf, it, vi } from 'vitest';
import { type FeedInputs, type ImageFeed, imageFeed } from './index.ts';

const size = 16;
const images = generatedImages({ classes: 2, imagesPerClass: 6, size });
const chain = simclrChain({ size, solarizeProbability: 0.2, blurProbability: 1 });
const common = { chain, batchSize: 4, seed: 3 };

describeEngines('imageFeed', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** The views of epoch 1 from a step on. */
  async function viewsOf(feed: ImageFeed, step = 0): Promise<Float32Array[]> {
    const all: Float32Array[] = [];
    for await (const batch of feed.batches({ epoch: 1, step })) {
      const inputs = feed.inputs(batch);
      const tensor = tf.tidy(() => feed.views(inputs));
      all.push((await tensor.data()) as Float32Array);
      tf.dispose([inputs, tensor]);
    }
    return all;
  }

  it('gives the views of the chain, the same where the engine keeps the images, after a resume too', async () => {
    const before = tf.memory().numTensors;
    const done: number[] = [];
    const feed = await imageFeed(images, { ...common, onProgress: (progress) => done.push(progress.done) });
    const uploaded = await imageFeed(images, { ...common, keep: false });
    expect([feed.stepsPerEpoch, feed.imagesPerStep, feed.notKept]).toEqual([3, 4, null]);
    expect(feed.transfer === 'resident').toBe(keepsImages());
    expect(done).toEqual(keepsImages() ? [12] : []);
    expect(uploaded.transfer).toBe(hasKernel('AugmentPackedImages') ? 'packed' : 'float');

    const expected: Float32Array[] = [];
    for await (const { epoch, indices, images: bytes } of batches(images, { batchSize: 4, seed: 3, epoch: 1 })) {
      const views = tf.tidy(() => chain.makeViews(imageTensor(bytes, [4, size, size, 3]), { seed: 3, epoch, indices }));
      expected.push((await views.data()) as Float32Array);
      views.dispose();
    }
    for (const made of [await viewsOf(feed), await viewsOf(uploaded)]) {
      expect(made).toHaveLength(3);
      for (const [i, of] of made.entries()) {
        expect(worstDeviation(of, expected[i] as Float32Array, { atol: 1e-6 }).excess).toBeLessThanOrEqual(0);
      }
    }
    expect(await viewsOf(feed, 2)).toEqual((await viewsOf(feed)).slice(2));
    feed.dispose();
    uploaded.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('says why images are uploaded batch by batch where they do not fit', async ({ skip }) => {
    skip(!keepsImages(), 'the engine keeps no images');
    const { runKernel } = tf.engine();
    vi.spyOn(tf.engine(), 'runKernel').mockImplementation((name, ...rest) => {
      if (name === 'ReserveImages') throw new RangeError('too large');
      return runKernel.call(tf.engine(), name, ...rest);
    });
    const feed = await imageFeed(images, common);
    expect([feed.transfer, feed.notKept]).toEqual(['packed', 'too large']);
  });

  it('stops an upload when the signal says so', async ({ skip }) => {
    skip(!keepsImages(), 'the engine keeps no images');
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(imageFeed(images, { ...common, signal })).rejects.toThrow('stopped');
  });

  it('gives as many views as are wanted, and labels', async () => {
    const own = { length: 5, imageShape: [2, 2, 3] as const, labels: Int32Array.of(5, 6, 7, 8, 9), read: images.read };
    const feed = await imageFeed(
      { ...own, read: async (indices) => new Uint8Array(12 * indices.length) },
      {
        chain: simclrChain({ size: 8, solarizeProbability: 0.2, blurProbability: 1 }),
        batchSize: 2,
        views: 3,
        labels: true,
      },
    );
    const { value: batch } = await feed.batches({ epoch: 0, step: 1 }).next();
    const inputs = feed.inputs(batch!);
    expect(Array.from(await inputs.labels.data())).toEqual(Array.from(batch!.indices, (index) => 5 + index));
    const views = tf.tidy(() => feed.views(inputs));
    expect(views.shape).toEqual([6, 8, 8, 3]);
    for (const [name, { shape, dtype }] of Object.entries(feed.specs)) {
      const tensor = inputs[name as keyof typeof inputs];
      expect([tensor.shape, tensor.dtype]).toEqual([shape, dtype]);
    }
    expectTypeOf(feed.specs.labels.shape).toEqualTypeOf<readonly [images: number]>();
    expectTypeOf(await imageFeed(images, common)).toEqualTypeOf<ImageFeed<FeedInputs>>();
    tf.dispose([inputs, views]);
    feed.dispose();
  });

  it('refuses what does not fit the images', async () => {
    const { length, imageShape, read } = images;
    const bare = { length, imageShape, read };
    await expect(imageFeed(images, { ...common, batchSize: 13 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: imageFeed: batchSize must be an integer from 1 to the 12 images there are, got 13. Use a smaller batch, or more images.]`,
    );
    await expect(imageFeed(images, { ...common, views: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: imageFeed: views must be an integer from 1, got 0. A contrastive loss needs 2; leave it out.]`,
    );
    await expect(imageFeed(bare, { ...common, labels: true })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[TypeError: imageFeed: images must have labels where \`labels\` is true, got none. Give them, or leave \`labels\` out.]`,
    );
    const labels = new Int32Array(3);
    await expect(imageFeed({ ...bare, labels }, common)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: imageFeed: images.labels must have 12 labels, one for each image, got 3. Give all, or none.]`,
    );
  });
});
