import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectNoLeak } from '@tfjs-ssl/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { augmentPackedImages, unpackImages } from './augment-packed-images.ts';
import { hasKernel } from './contract/has-kernel.ts';
import { type PackedImages, packedWords } from './contract/packed-images.ts';
import { keepsImages, packImages, uploadImages } from './packed-images.ts';

/** Images of all byte values in a mixed order. */
const bytes = (count: number, [height, width]: readonly [number, number]): Uint8Array =>
  Uint8Array.from({ length: count * height * width * 3 }, (_, i) => (i * 89 + 17) % 256);

/** What unpacking is to give, shape [indices.length, height, width, 3]. */
const expected = (pixels: Uint8Array, imageBytes: number, indices: number[]): number[] =>
  indices.flatMap((index) => Array.from(pixels.subarray(index * imageBytes, (index + 1) * imageBytes), (b) => b / 255));

async function expectNear(got: tf.Tensor, values: number[]): Promise<void> {
  const data = await got.data();
  expect(data.length).toBe(values.length);
  // One rounding of the quotient: a GPU may divide less exactly than a processor.
  for (const [i, value] of values.entries())
    expect(Math.abs((data[i] as number) - value), `value ${i}`).toBeLessThan(2e-7);
}

const dispose = (images: PackedImages) => tf.dispose([...images.shards]);

describeEngines('unpackImages', () => {
  it('gives the bytes of the images divided by 255, from one shard or several, whole words or not', async () => {
    await expectNoLeak(async () => {
      for (const size of [
        [4, 5],
        [3, 3],
      ] as const) {
        const pixels = bytes(7, size);
        const order = [6, 0, 3, 2, 3, 5];
        const indices = tf.tensor1d(order, 'int32');
        for (const perShard of [undefined, 3, 7, 1]) {
          const images = packImages(pixels, size, perShard);
          const unpacked = unpackImages(images, indices);
          expect(unpacked.shape).toEqual([6, ...size, 3]);
          await expectNear(unpacked, expected(pixels, size[0] * size[1] * 3, order));
          unpacked.dispose();
          dispose(images);
        }
        indices.dispose();
      }
    });
  });

  it('gives NaN for an image that is not there, and no other', async () => {
    const images = packImages(bytes(2, [2, 2]), [2, 2], 1);
    const values = await unpackImages(images, tf.tensor1d([2, 0, -1], 'int32')).data();
    expect(Array.from(values, Number.isNaN)).toEqual([
      ...Array(12).fill(true),
      ...Array(12).fill(false),
      ...Array(12).fill(true),
    ]);
    dispose(images);
  });

  it('refuses what are no packed images or no indices', () => {
    const images = packImages(bytes(2, [2, 2]), [2, 2]);
    const indices = tf.tensor1d([0], 'int32');
    expect(() => unpackImages(images, tf.tensor1d([0]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: unpackImages: indices must be int32 of shape [N] with N of at least 1, got float32 of shape [1]. Pass tf.tensor1d(indices, 'int32').]`,
    );
    expect(() => unpackImages({ ...images, imageSize: [3, 3] }, indices)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: unpackImages: images must be int32 shards of shape [images, 7] that hold 2 images, got int32 of shape [2, 3]. Make them with packImages or uploadImages.]`,
    );
    expect(() => unpackImages({ ...images, shards: [] }, indices)).toThrow(/got none/);
    expect(() => packImages(new Uint8Array(13), [2, 2])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: packImages: pixels must hold whole images of 12 bytes, at least one, got 13 bytes. Check imageSize.]`,
    );
    expect(() => packImages(new Uint8Array(12), [2, 2], 0)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: packImages: imagesPerShard must be an integer of at least 1, got 0. Leave it out for one shard.]`,
    );
    expect(() =>
      augmentPackedImages(images, indices, tf.ones([2, 2]), [{ kind: 'grayscale' }], { size: [2, 2] }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: augmentPackedImages: parameters must have 1 columns and a multiple of 1 rows, got shape [2, 2]. Make one row per view with the columns of these stages.]`,
    );
    dispose(images);
  });
});

describeEngines('augmentPackedImages', () => {
  it('runs stages on the images at the indices, row r on index r mod N', async ({ skip }) => {
    skip(!hasKernel('AugmentPackedImages') && !hasKernel('AugmentImages'), 'this engine has no kernel that augments');
    const pixels = bytes(3, [1, 2]);
    const images = packImages(pixels, [1, 2], 2);
    const rows = tf.tensor2d([1, 0, 0, 1], [4, 1]);
    const views = augmentPackedImages(images, tf.tensor1d([2, 1], 'int32'), rows, [{ kind: 'horizontalFlip' }], {
      size: [1, 2],
    });
    const flipped = (index: number) => {
      const at = Array.from(pixels.subarray(index * 6, index * 6 + 6), (b) => b / 255);
      return [...at.slice(3), ...at.slice(0, 3)];
    };
    const plain = (index: number) => expected(pixels, 6, [index]);
    await expectNear(views, [...flipped(2), ...plain(1), ...plain(2), ...flipped(1)]);
    dispose(images);
  });
});

describeEngines('uploadImages', () => {
  const source = (count: number, size: readonly [number, number], pixels: Uint8Array) => ({
    length: count,
    imageShape: [...size, 3] as [number, number, 3],
    read: async (indices: ArrayLike<number>) =>
      Uint8Array.from(
        Array.from(indices).flatMap((i) => [
          ...pixels.subarray(i * size[0] * size[1] * 3).subarray(0, size[0] * size[1] * 3),
        ]),
      ),
  });

  it('refuses engines that keep no images', async ({ skip }) => {
    skip(keepsImages(), 'this engine keeps images');
    await expect(uploadImages(source(1, [1, 1], bytes(1, [1, 1])))).rejects.toThrow(
      /^uploadImages: the backend must keep images, got '.*', which does not\. Ask keepsImages\(\) first/,
    );
  });

  it('holds every image', async ({ skip }) => {
    skip(!keepsImages(), 'this engine keeps no images');
    const size = [3, 3] as const;
    const pixels = bytes(11, size);
    await expectNoLeak(async () => {
      const progress: number[] = [];
      const images = await uploadImages(source(11, size, pixels), {
        imagesPerChunk: 4,
        onProgress: ({ done, total }) => {
          expect(total).toBe(11);
          progress.push(done);
        },
      });
      expect(progress.at(-1)).toBe(11);
      const indices = tf.tensor1d([10, 0, 5], 'int32');
      const unpacked = unpackImages(images, indices);
      await expectNear(unpacked, expected(pixels, 27, [10, 0, 5]));
      tf.dispose([unpacked, indices, ...images.shards]);
    });
  });

  it('frees what it has uploaded where the source fails', async ({ skip }) => {
    skip(!keepsImages(), 'this engine keeps no images');
    await expectNoLeak(async () => {
      const failing = {
        length: 4,
        imageShape: [2, 2, 3] as [number, number, 3],
        read: () => Promise.reject(new Error('gone')),
      };
      await expect(uploadImages(failing)).rejects.toThrow('gone');
    });
  });
});

describe('uploadImages on an engine whose memory is too small', () => {
  afterEach(() => {
    for (const name of ['ReserveImages', 'WriteImages', 'AugmentPackedImages']) tf.unregisterKernel(name, 'small');
    tf.removeBackend('small');
  });

  it('fails with what the engine says, at once or later, and frees the shards', async () => {
    const before = tf.getBackend();
    tf.registerBackend('small', () => tf.engine().findBackend('cpu'));
    await tf.setBackend('small');
    const kernel = (kernelName: string, kernelFunc: tf.KernelFunc) =>
      tf.registerKernel({ kernelName, backendName: 'small', kernelFunc });
    kernel('WriteImages', () => []);
    kernel('AugmentPackedImages', () => []);
    kernel('ReserveImages', ({ attrs, backend }) => {
      const { images, words, checks } = attrs as unknown as { images: number; words: number; checks: Promise<void>[] };
      checks.push(Promise.reject(new RangeError('no memory')));
      const make = backend as unknown as { makeTensorInfo(shape: number[], dtype: string): tf.TensorInfo };
      return [make.makeTensorInfo([images, words], 'int32')];
    });
    const [count] = [tf.memory().numTensors];
    const small = { length: 2, imageShape: [1, 1, 3] as [number, number, 3], read: async () => new Uint8Array(6) };
    await expect(uploadImages(small)).rejects.toThrow('no memory');
    expect(tf.memory().numTensors).toBe(count);
    expect(packedWords([1, 1])).toBe(1);
    if (before) await tf.setBackend(before); // none if this test is the first
  });
});
