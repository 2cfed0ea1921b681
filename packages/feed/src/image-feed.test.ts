import * as tf from '@tensorflow/tfjs-core';
import { byolChains, imageTensor, randomHorizontalFlip, simclrChain, swavChains } from '@tfjs-ssl/augmentations';
import { argumentError } from '@tfjs-ssl/checks';
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
    expect([feed.kept?.length, uploaded.kept]).toEqual([keepsImages() ? 12 : undefined, null]);
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
      if (name === 'ReserveImages')
        throw argumentError({ fn: 'test', argument: 'images', required: 'fit', got: 12, advice: 'Make fewer.' });
      return runKernel.call(tf.engine(), name, ...rest);
    });
    const feed = await imageFeed(images, common);
    expect([feed.transfer, feed.notKept]).toEqual(['packed', 'test: images must fit, got 12. Make fewer.']);
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

  it('gives views of a chain each, and groups of views by name', async () => {
    const before = tf.memory().numTensors;
    const two = byolChains({ size });
    const feed = await imageFeed(images, { ...common, chain: two });
    const crops = await imageFeed(images, {
      ...common,
      chain: swavChains({ size, smallSize: 8, smallViews: 3 }),
      labels: true,
    });
    const batch = (await feed.batches({ epoch: 1, step: 0 }).next()).value!;
    const [inputs, ofCrops] = [feed.inputs(batch), crops.inputs(batch)];
    const views = tf.tidy(() => feed.views(inputs));
    expectTypeOf(views).toEqualTypeOf<tf.Tensor4D>();
    expect(views.shape).toEqual([8, size, size, 3]);
    const { large, small } = tf.tidy(() => crops.views(ofCrops));
    expectTypeOf(small).toEqualTypeOf<tf.Tensor4D>();
    expect([large.shape, small.shape]).toEqual([
      [8, size, size, 3],
      [12, 8, 8, 3],
    ]);
    for (const [name, { shape }] of Object.entries(crops.specs)) {
      expect(ofCrops[name as keyof typeof ofCrops].shape).toEqual(shape);
    }

    const { epoch, indices } = batch;
    const bytes = await images.read(indices);
    const expected = tf.tidy(() => {
      const x = imageTensor(bytes, [4, size, size, 3]);
      const made = two.map((chain, view) =>
        tf.slice(chain.makeViews(x, { seed: 3, epoch, indices, views: 2 }), 4 * view, 4),
      );
      return tf.concat(made);
    });
    const [a, b] = [await views.data(), await expected.data()];
    expect(worstDeviation(a, b, { atol: 1e-6 }).excess).toBeLessThanOrEqual(0);
    tf.dispose([inputs, ofCrops, views, large, small, expected]);
    feed.dispose();
    crops.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it.each([true, false])('divides a batch into chunks of images with all their views: images kept %s', async (keep) => {
    const feed = await imageFeed(images, {
      ...common,
      keep,
      chain: swavChains({ size, smallSize: 8, smallViews: 3 }),
      labels: true,
    });
    const batch = (await feed.batches({ epoch: 1, step: 0 }).next()).value!;
    const inputs = { ...feed.inputs(batch), other: tf.scalar(3) };
    const [whole, parts] = tf.tidy(() => {
      const chunks = feed.chunks(inputs, 2);
      expectTypeOf(chunks).toEqualTypeOf<Array<typeof inputs>>();
      expect(chunks.map(({ other }) => other)).toEqual([inputs.other, inputs.other]);
      const labels = tf.concat(chunks.map((chunk) => chunk.labels));
      const made = chunks.map((chunk) => feed.views(chunk));
      // of each view the images of the first chunk, then those of the second
      const join = (name: 'large' | 'small', views: number) => {
        const byView = made.map((of) => tf.split(of[name], views));
        return tf.concat(Array.from({ length: views }, (_, v) => byView.map((of) => of[v]!)).flat());
      };
      return [
        { ...feed.views(inputs), labels: inputs.labels },
        { large: join('large', 2), small: join('small', 3), labels },
      ] as const;
    });
    for (const name of ['large', 'small', 'labels'] as const) {
      expect(await parts[name].data()).toEqual(await whole[name].data());
    }
    expect(() => feed.chunks(inputs, 3)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: chunks: count must be an integer that divides the batch of 4 images, got 3. Chunks have equally many images.]`,
    );
    tf.dispose([inputs, whole, parts]);
    feed.dispose();
  });

  it('refuses what does not fit the images', async () => {
    const { length, imageShape, read } = images;
    const bare = { length, imageShape, read };
    await expect(imageFeed(images, { ...common, batchSize: 13 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: imageFeed: batchSize must be an integer from 1 to the 12 images there are, got 13. Use a smaller batch, or more images.]`,
    );
    await expect(imageFeed(images, { ...common, views: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: imageFeed: views must be an integer of at least 1, got 0. A contrastive loss needs 2; leave it out.]`,
    );
    const many = { ...common, chain: byolChains({ size }), views: 3 };
    await expect(imageFeed(images, many)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: imageFeed: views must be left out if \`chain\` lists a chain for each view, got 3. The list says how many there are.]`,
    );
    const of = (wrong: unknown) => imageFeed(images, { ...common, chain: wrong as never });
    await expect(of(undefined)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[TypeError: imageFeed: chain must be a chain, or chains for each view, got undefined. Pass simclrChain({ size }), or compose([...]) of transforms.]`,
    );
    await expect(of(randomHorizontalFlip())).rejects.toThrowErrorMatchingInlineSnapshot(
      `[TypeError: imageFeed: chain must be a chain, or chains for each view, got the transform randomHorizontalFlip. Pass simclrChain({ size }), or compose([...]) of transforms.]`,
    );
    await expect(of([chain, simclrChain({ size: 8 })])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: viewPlan: chains must lead to one size, as their views are one tensor, got 16 x 16 pixels for view 0 and 8 x 8 for view 1. Make a group for each size: { large: [...], small: [...] }.]`,
    );
    await expect(imageFeed(bare, { ...common, labels: true })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[TypeError: imageFeed: images must have labels if \`labels\` is true, got none. Give them, or leave \`labels\` out.]`,
    );
    const labels = new Int32Array(3);
    await expect(imageFeed({ ...bare, labels }, common)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: imageFeed: images.labels must have 12 labels, one for each image, got 3. Give all, or none.]`,
    );
  });
});
