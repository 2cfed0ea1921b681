import * as tf from '@tensorflow/tfjs-core';
import { type AugmentStage, augmentImages, augmentPackedImages, packImages } from '@tfjs-ssl/ops';
import { afterEach, expect, it } from 'vitest';
import { simdEngine } from '../index.ts';

// That the views are right is tested where their composition is: @tfjs-ssl/augmentations and the golden set.

afterEach(() => simdEngine.stop());

const stages: AugmentStage[] = [
  { kind: 'resizedCrop', size: [13, 18], antialias: true },
  { kind: 'horizontalFlip' },
  { kind: 'solarize' },
  { kind: 'colorJitter' },
  { kind: 'grayscale' },
  { kind: 'gaussianBlur', kernelSize: 5 },
  { kind: 'normalize', mean: [0.5, 0.4, 0.3], std: [0.2, 0.3, 0.4] },
];

/** Row of view r: another box, order and choice of stages for each. */
function row(r: number): number[] {
  const crop = [r % 5, r % 7, 12 + (r % 10), 9 + (r % 12)];
  const order = [0, 1, 2, 3].map((place) => (place + r) % 4);
  const jitter = [1, ...order, 0.6 + 0.05 * r, 1.4 - 0.05 * r, 0.5 + 0.1 * r, 0.02 * r - 0.2];
  return [...crop, r % 2, r % 3 === 0 ? 1 : 0, 0.5, ...jitter, r % 5 === 0 ? 1 : 0, 1, 0.2 + 0.1 * r, 1];
}

async function views(threads: number): Promise<Float32Array> {
  const { threads: started } = await simdEngine.start({ threads });
  expect(started).toBe(threads);
  return tf.tidy(() => {
    const images = tf.randomUniform([5, 27, 29, 3], 0, 1, 'float32', 1) as tf.Tensor4D;
    const rows = Array.from({ length: 20 }, (_, r) => row(r));
    return augmentImages(images, tf.tensor2d(rows), stages, { size: [13, 18] })
      .dataSync()
      .slice() as Float32Array;
  });
}

it('makes the same views, bit for bit, on any number of threads', async () => {
  const alone = await views(1);
  await simdEngine.stop();
  expect(alone.every(Number.isFinite)).toBe(true);
  for (const threads of [2, 3]) {
    expect(await views(threads)).toEqual(alone);
    await simdEngine.stop();
  }
});

it('makes the views of 8-bit images that it makes of their floats, bit for bit', async () => {
  await simdEngine.start({ threads: Number(process.env.TFJS_SSL_THREADS ?? 2) });
  tf.tidy(() => {
    const pixels = Uint8Array.from({ length: 5 * 27 * 29 * 3 }, (_, i) => (i * 89 + 17 * (i >> 8)) % 256);
    const images = tf.tensor4d(
      Float32Array.from(pixels, (byte) => byte / 255),
      [5, 27, 29, 3],
    );
    const rows = tf.tensor2d(Array.from({ length: 20 }, (_, r) => row(r)));
    const indices = tf.tensor1d([0, 1, 2, 3, 4], 'int32');
    const expected = augmentImages(images, rows, stages, { size: [13, 18] }).dataSync();
    for (const perShard of [5, 2]) {
      const views = augmentPackedImages(packImages(pixels, [27, 29], perShard), indices, rows, stages, {
        size: [13, 18],
      });
      expect(views.dataSync()).toEqual(expected);
    }
  });
});

it('takes images larger than a thread’s scratch memory', async () => {
  await simdEngine.start({ threads: Number(process.env.TFJS_SSL_THREADS ?? 2) });
  tf.tidy(() => {
    const images = tf.fill([2, 400, 420, 3], 0.25) as tf.Tensor4D;
    const identity: AugmentStage[] = [
      { kind: 'resizedCrop', size: [400, 420], antialias: true },
      { kind: 'gaussianBlur', kernelSize: 23 },
    ];
    const rows = tf.tensor2d([
      [0, 0, 400, 420, 1, 2],
      [3, 7, 30, 50, 0, 1],
    ]);
    const difference = tf.max(tf.abs(tf.sub(augmentImages(images, rows, identity, { size: [400, 420] }), 0.25)));
    expect(difference.dataSync()[0]).toBeLessThan(1e-6);
  });
});
