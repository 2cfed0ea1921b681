import * as tf from '@tensorflow/tfjs-core';
import { startEngine } from '@tfjs-ssl/engine';
import { packedWords, type ReserveImagesAttributes, uploadImages } from '@tfjs-ssl/ops';
import { beforeAll, describe, expect, it } from 'vitest';
import type { GpuBackend } from '../backend.ts';

// What uploadImages and unpackImages do on every engine is tested where they are, in @tfjs-ssl/ops.

describe('a data set on the device', () => {
  beforeAll(async () => {
    await startEngine('webgpu', { softwareAdapter: true });
  });

  const reserve = (images: number, words: number) => {
    const attributes: ReserveImagesAttributes = { images, words, checks: [] };
    return tf
      .engine()
      .runKernel('ReserveImages', {}, attributes as unknown as tf.NamedAttrMap) as unknown as tf.Tensor2D[];
  };

  it('lies in as few buffers as the device binds, each of whole images', () => {
    const { maxStorageBufferBindingSize, maxBufferSize } = (tf.backend() as unknown as GpuBackend).device.limits;
    const words = 2 ** 20;
    const perShard = Math.floor(Math.min(maxStorageBufferBindingSize, maxBufferSize) / (4 * words));
    const shards = reserve(3, words);
    expect(shards.map(({ shape }) => shape[0])).toEqual(
      perShard >= 3 ? [3] : Array(Math.ceil(3 / perShard)).fill(perShard),
    );
    tf.dispose(shards);
  });

  it('is refused where it needs more buffers than the device binds', () => {
    expect(() => reserve(2 ** 30, packedWords([64, 64]))).toThrow(
      /^engine-webgpu: images must fit into \d+ buffers of at most \d+ MB, which this device binds beside the views, got 1073741824 images of 13194140 MB in all\. Upload them batch by batch\.$/,
    );
  });

  it('is gone when its shards are disposed', async () => {
    const source = { length: 3, imageShape: [2, 2, 3] as [number, number, 3], read: async () => new Uint8Array(36) };
    const [tensors, bytes] = [tf.memory().numTensors, tf.memory().numBytes];
    const images = await uploadImages(source);
    expect(tf.memory().numBytes).toBe(bytes + 36);
    tf.dispose([...images.shards]);
    expect(tf.memory().numTensors).toBe(tensors);
  });
});
