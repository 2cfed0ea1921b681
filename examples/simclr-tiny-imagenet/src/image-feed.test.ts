import * as tf from '@tensorflow/tfjs-core';
import { batches, generatedImages } from '@tfjs-ssl/datasets';
import { keepsImages } from '@tfjs-ssl/ops';
import { describeEngines, worstDeviation } from '@tfjs-ssl/testing';
import { afterEach, expect, it, vi } from 'vitest';
import { buildChain } from './blocks.ts';
import { stepInputs } from './experiment.ts';
import { batchFeed, type ImageFeed, residentFeed } from './image-feed.ts';
import { resolveSettings } from './settings.ts';

const settings = resolveSettings({ preset: 'paper', scale: 'quick', precision: 'float32', seed: 3, batchSize: 4 });
const dataset = generatedImages({ classes: 2, imagesPerClass: 6, size: settings.imageSize });
const never = new AbortController().signal;

describeEngines('the images of a step', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** The views of an epoch from a step on. */
  async function views(feed: ImageFeed, startStep = 0): Promise<Float32Array[]> {
    const chain = buildChain(settings);
    const all: Float32Array[] = [];
    const stream = batches(dataset, { batchSize: 4, seed: 3, epoch: 1, startStep, readImages: feed.readsImages });
    for await (const batch of stream) {
      const inputs = stepInputs(batch, settings, chain, feed);
      const tensor = tf.tidy(() => feed.views(chain, inputs.images, inputs.table as tf.Tensor2D));
      all.push((await tensor.data()) as Float32Array);
      tf.dispose([inputs, tensor]);
    }
    return all;
  }

  it('give the same views where the engine keeps them as where they are uploaded, after a resume too', async () => {
    const before = tf.memory().numTensors;
    const lines: string[] = [];
    const resident = await residentFeed(dataset, settings, (line) => lines.push(line), never);
    expect(resident.readsImages).toBe(!keepsImages());
    expect(lines).toEqual(keepsImages() ? ['uploaded 12 of 12 images to the engine'] : []);
    const [uploaded, kept] = [await views(batchFeed(settings)), await views(resident)];
    expect(uploaded).toHaveLength(3);
    for (const [i, expected] of uploaded.entries()) {
      expect(worstDeviation(kept[i] as Float32Array, expected, { atol: 1e-6 }).excess).toBeLessThanOrEqual(0);
    }
    expect(await views(resident, 2)).toEqual(kept.slice(2));
    resident.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('are uploaded batch by batch, with a line that says why, where they do not fit', async ({ skip }) => {
    skip(!keepsImages(), 'this engine keeps no images');
    const { runKernel } = tf.engine();
    vi.spyOn(tf.engine(), 'runKernel').mockImplementation((name, ...rest) => {
      if (name === 'ReserveImages') throw new RangeError('too large');
      return runKernel.call(tf.engine(), name, ...rest);
    });
    const lines: string[] = [];
    const feed = await residentFeed(dataset, settings, (line) => lines.push(line), never);
    expect(feed.readsImages).toBe(true);
    expect(lines).toEqual(['The images are uploaded batch by batch: too large']);
  });

  it('stop being uploaded when the run is stopped', async ({ skip }) => {
    skip(!keepsImages(), 'this engine keeps no images');
    const stopped = AbortSignal.abort(new Error('stopped'));
    await expect(residentFeed(dataset, settings, () => {}, stopped)).rejects.toThrow('stopped');
  });
});
