import * as tf from '@tensorflow/tfjs-core';
import type { Precision } from '@tfjs-ssl/ops';
import { describeEngines } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { expectAsReference, gpu } from '../../test-support/reference.ts';

type Padding = 'same' | 'valid' | number | tf.backend_util.ExplicitPadding;
/** images, height, width, channels, output channels, filter height, filter width, strides, padding */
type Case = [number, number, number, number, number, number, number, [number, number], Padding];

/** Layers of ResNet-18 and 50 with a narrow network's channels. */
const layers: Case[] = [
  [2, 32, 32, 3, 8, 7, 7, [2, 2], 3],
  [3, 16, 16, 8, 8, 3, 3, [1, 1], 1],
  [2, 16, 16, 8, 16, 3, 3, [2, 2], 1],
  [2, 16, 16, 8, 16, 1, 1, [2, 2], 0],
  [5, 4, 4, 32, 32, 3, 3, [1, 1], 1],
  [9, 2, 2, 64, 64, 3, 3, [1, 1], 1],
  [2, 8, 8, 8, 32, 1, 1, [1, 1], 0],
  [40, 8, 8, 16, 16, 3, 3, [1, 1], 1],
];
const explicit: tf.backend_util.ExplicitPadding = [[0, 0], [2, 1], [0, 3], [0, 0]]; // biome-ignore format: one axis each
const odd: Case[] = [
  [2, 9, 7, 3, 5, 3, 3, [1, 1], 'same'],
  [2, 10, 9, 9, 18, 5, 5, [3, 3], 'same'],
  [2, 6, 6, 5, 3, 1, 3, [2, 3], 'valid'],
  [2, 9, 10, 12, 10, 3, 2, [1, 2], explicit],
  [2, 8, 7, 4, 6, 1, 1, [3, 3], 'valid'],
  [1, 1, 1, 40, 24, 3, 3, [1, 1], 1],
];

const convolve = (strides: [number, number], pad: Padding) => (x: tf.Tensor, filter: tf.Tensor) =>
  tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, strides, pad);

async function check([n, h, w, c, o, kh, kw, strides, pad]: Case, precision: Precision, tolerance: number) {
  const f = convolve(strides, pad);
  const shapes = [[n, h, w, c], [kh, kw, c, o], f(tf.zeros([n, h, w, c]), tf.zeros([kh, kw, c, o])).shape];
  const run = ([x, filter, dy]: tf.Tensor[]) => [f(x!, filter!), ...tf.grads(f)([x!, filter!], dy!)];
  await expectAsReference(shapes, run, { precision, tolerance });
}

describeEngines('the convolution and its gradients', () => {
  it.each([...layers, ...odd])('of %i x %i x %i x %i to %i by %i x %i, strides %j, padding %j', async (...shape) => {
    await check(shape, 'float32', 1e-5);
  });

  it.for([layers[0]!, layers[2]!, odd[3]!])(
    'in mixed precision, %i x %i x %i x %i to %i by %i x %i, strides %j, padding %j',
    async (shape, { skip }) => {
      skip(!gpu().device.features.has('shader-f16'), 'this device has no float16');
      await check(shape, 'mixed', 2e-3);
    },
  );

  it('gives the same bits in every run', async () => {
    const run = () =>
      tf.tidy(() => {
        const x = tf.randomNormal([16, 8, 8, 12], 0, 1, 'float32', 1);
        const filter = tf.randomNormal([3, 3, 12, 8], 0, 1, 'float32', 2);
        const f = convolve([1, 1], 1);
        return [f(x, filter), ...tf.grads(f)([x, filter])];
      });
    const [first, second] = [run(), run()];
    for (const [i, tensor] of first.entries()) expect(await second[i]!.data()).toEqual(await tensor.data());
  });

  it.each(['linear', 'relu', 'sigmoid', 'leakyrelu', 'prelu'] as const)(
    'fused with bias and %s',
    async (activation) => {
      const run = ([x, filter, bias, alpha]: tf.Tensor[]) => [
        tf.fused.conv2d({
          x: x as tf.Tensor4D,
          filter: filter as tf.Tensor4D,
          strides: 1,
          pad: 1,
          bias: bias!,
          activation,
          leakyreluAlpha: 0.1,
          ...(activation === 'prelu' ? { preluActivationWeights: alpha! } : {}),
        }),
      ];
      await expectAsReference([[2, 5, 5, 4], [3, 3, 4, 8], [8], [8]], run, { tolerance: 1e-5 });
    },
  );

  it('leaves dilation to the stock kernel', async () => {
    const run = ([x, filter]: tf.Tensor[]) => [
      tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, 'same', 'NHWC', 2),
    ];
    await expectAsReference([[2, 9, 9, 3], [3, 3, 3, 4]], run, { tolerance: 1e-5 }); // biome-ignore format: short
  });
});
