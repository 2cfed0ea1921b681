import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { packImages } from '@tfjs-ssl/ops';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { describe, expect, it } from 'vitest';
import { extractFeatures, type ImageSource } from './index.ts';

/** Images whose bytes follow from their index. */
function source(length: number): ImageSource & { readonly asked: number[][] } {
  const asked: number[][] = [];
  return {
    length,
    imageShape: [4, 4, 3],
    asked,
    read: async (indices) => {
      asked.push(Array.from(indices));
      return Uint8Array.from(
        Array.from(indices).flatMap((i) => Array.from({ length: 48 }, (_, p) => (i * 37 + p * 5) % 256)),
      );
    },
  };
}

/** An encoder whose training and evaluation modes differ. */
function encoder(): tfl.LayersModel {
  return tfl.sequential({
    layers: [
      tfl.layers.conv2d({
        inputShape: [4, 4, 3],
        filters: 5,
        kernelSize: 3,
        kernelInitializer: tfl.initializers.glorotNormal({ seed: 1 }),
      }),
      tfl.layers.batchNormalization(),
      tfl.layers.globalAveragePooling2d({}),
    ],
  });
}

describeEngines('extractFeatures', () => {
  it('equals the encoder in evaluation mode on all images at once, the last partial batch included', async () => {
    const model = encoder();
    const images = source(11);
    const features = await extractFeatures(model, images, { batchSize: 4 });
    const all = await source(11).read(Array.from({ length: 11 }, (_, i) => i));
    const expected = tf.tidy(() => model.predict(tf.div(tf.tensor4d(all, [11, 4, 4, 3], 'int32'), 255)) as tf.Tensor);
    expect(features.shape).toEqual([11, 5]);
    await expectClose(features, expected, { atol: 1e-6 });
    expect(images.asked).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9, 10],
    ]);
    tf.dispose([features, expected]);
  });

  it('takes images that the engine keeps, and gives the same', async () => {
    const model = encoder();
    const pixels = await source(19).read(Array.from({ length: 19 }, (_, i) => i));
    const kept = packImages(pixels, [4, 4], 7);
    const options = { batchSize: 2, transform: (images: tf.Tensor4D) => tf.mul<tf.Tensor4D>(images, 2) };
    const [done, expected] = [[] as number[], await extractFeatures(model, source(19), options)];
    const onProgress = (progress: { done: number }) => done.push(progress.done);
    await expectNoLeak(async () => {
      const features = await extractFeatures(model, kept, { ...options, onProgress });
      expect(await features.data()).toEqual(await expected.data());
      features.dispose();
    });
    expect(done).toEqual([2, 4, 6, 8, 10, 12, 14, 16, 18, 19]);
    await expectNoLeak(async () => {
      const stop = () => {
        throw new Error('stopped');
      };
      await expect(extractFeatures(model, kept, { onProgress: stop })).rejects.toThrow('stopped');
    });
    tf.dispose([expected, [...kept.shards]]);
  });

  it('takes a function of images, and disposes all that it makes but the features', async () => {
    const images = source(3);
    const meanOf = (batch: tf.Tensor4D) => tf.mean(tf.mul(batch, 2), [1, 2]);
    const before = tf.memory().numTensors;
    const features = await extractFeatures(meanOf, images, { batchSize: 2 });
    expect(tf.memory().numTensors).toBe(before + 1);
    const bytes = await images.read([0, 1, 2]);
    const expected = tf.tidy(() => meanOf(tf.div<tf.Tensor4D>(tf.tensor4d(bytes, [3, 4, 4, 3], 'int32'), 255)));
    await expectClose(features, expected, { atol: 1e-6 });
  });

  it('changes no variable of the encoder and leaves one tensor behind', async () => {
    const model = encoder();
    (await extractFeatures(model, source(3))).dispose(); // layers make some constants when first used
    const values = () => Promise.all(model.getWeights().map(async (weight) => Array.from(await weight.data())));
    const before = await values();
    await expectNoLeak(async () => {
      const features = await extractFeatures(model, source(7), { batchSize: 2 });
      expect(tf.memory().numTensors).toBeGreaterThan(0);
      features.dispose();
    });
    expect(await values()).toEqual(before);
  });

  it('applies the transform and reports progress', async () => {
    const model = encoder();
    const seen: object[] = [];
    const transform = (images: tf.Tensor4D) => tf.sub(1, images) as tf.Tensor4D;
    const inverted: ImageSource = {
      ...source(3),
      read: async (indices) => (await source(3).read(indices)).map((byte) => 255 - byte),
    };
    const a = await extractFeatures(model, source(3), { batchSize: 2, transform, onProgress: (p) => seen.push(p) });
    const b = await extractFeatures(model, inverted);
    await expectClose(a, b, { atol: 1e-6 });
    expect(seen).toEqual([
      { done: 2, total: 3 },
      { done: 3, total: 3 },
    ]);
    tf.dispose([a, b]);
  });
});

describe('extractFeatures refuses', () => {
  it('no images, short reads, and encoders without a row for each image', async () => {
    const model = encoder();
    await expect(extractFeatures(model, source(0))).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: extractFeatures: images.length must be an integer of at least 1, got 0. Pass a data set that has images.]`,
    );
    await expect(extractFeatures(model, source(2), { batchSize: 0 })).rejects.toThrow(RangeError);
    const floats = { ...source(2), read: async () => new Float32Array(96) as unknown as Uint8Array };
    await expect(extractFeatures(model, floats)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[TypeError: extractFeatures: images.read must deliver a Uint8Array, got a Float32Array. Deliver values of 0 to 255 as bytes; floats in [0, 1] times 255.]`,
    );
    const larger = { ...source(2), imageShape: [8, 8, 3] as const, read: async () => new Uint8Array(384) };
    await expect(extractFeatures(model, larger)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: extractFeatures: images must have the shape that the encoder was made for, [4,4,3], got [8, 8, 3]. Read them in that size, resize them in \`transform\`, or make the encoder for theirs.]`,
    );
    const short = { ...source(2), read: async () => new Uint8Array(48) };
    await expect(extractFeatures(model, short)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: extractFeatures: images.read must deliver 96 bytes for 2 images, got 48. Check imageShape.]`,
    );
    const unpooled = tfl.sequential({
      layers: [tfl.layers.conv2d({ inputShape: [4, 4, 3], filters: 2, kernelSize: 3 })],
    });
    await expect(extractFeatures(unpooled, source(2))).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: extractFeatures: encoder must return shape [2, features] for 2 images, got [2, 2, 2, 2]. Pool its output first.]`,
    );
  });
});
