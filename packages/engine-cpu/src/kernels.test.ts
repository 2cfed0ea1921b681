import * as tf from '@tensorflow/tfjs-core';
import { expectClose, expectGradient, expectNoLeak } from '@tfjs-ssl/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { cpuEngine } from './engine.ts';

beforeAll(async () => {
  await cpuEngine.start();
});

/** Stock TensorFlow.js ops that do not use the kernels under test: a convolution as a sum over its taps. */
function convolveByTaps(x: tf.Tensor4D, w: tf.Tensor4D, stride: number, pad: number, dilation: number): tf.Tensor4D {
  const padded = tf.pad(x, [
    [0, 0],
    [pad, pad],
    [pad, pad],
    [0, 0],
  ]);
  const [, height, width, channels] = padded.shape as [number, number, number, number];
  const [kh, kw] = w.shape;
  const [oh, ow] = [height - dilation * (kh - 1), width - dilation * (kw - 1)].map(
    (n) => Math.floor((n - 1) / stride) + 1,
  );
  const terms: tf.Tensor[] = [];
  for (let ky = 0; ky < kh; ky++) {
    for (let kx = 0; kx < kw; kx++) {
      const begin = [0, ky * dilation, kx * dilation, 0];
      const end = [
        x.shape[0],
        ky * dilation + ((oh as number) - 1) * stride + 1,
        kx * dilation + ((ow as number) - 1) * stride + 1,
        channels,
      ];
      const part = tf.expandDims(tf.stridedSlice(padded, begin, end, [1, stride, stride, 1]), 4);
      const tap = tf.slice(w, [ky, kx, 0, 0], [1, 1, -1, -1]);
      terms.push(tf.sum(tf.mul(part, tf.reshape(tap, [1, 1, 1, ...w.shape.slice(2)])), 3));
    }
  }
  return tf.addN(terms) as tf.Tensor4D;
}

describe.each([
  { size: [5, 6], kernel: 3, stride: 1, pad: 1, dilation: 1 },
  { size: [7, 8], kernel: 3, stride: 2, pad: 1, dilation: 1 },
  { size: [9, 9], kernel: 7, stride: 2, pad: 3, dilation: 1 },
  { size: [4, 4], kernel: 1, stride: 2, pad: 0, dilation: 1 },
  { size: [9, 8], kernel: 3, stride: 1, pad: 2, dilation: 2 },
])('convolution %o', ({ size, kernel, stride, pad, dilation }) => {
  const x = () => tf.randomNormal<tf.Rank.R4>([2, ...(size as [number, number]), 3], 0, 1, 'float32', 1);
  const w = () => tf.randomNormal<tf.Rank.R4>([kernel, kernel, 3, 4], 0, 1, 'float32', 2);
  const ours = (a: tf.Tensor, b: tf.Tensor) =>
    tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, stride, pad, 'NHWC', dilation);
  const taps = (a: tf.Tensor, b: tf.Tensor) =>
    convolveByTaps(a as tf.Tensor4D, b as tf.Tensor4D, stride, pad, dilation);

  it('equals the sum over its taps', async () => {
    await expectClose(ours(x(), w()), taps(x(), w()), { atol: 1e-4 });
  });

  it('has the gradient of its differences', async ({ skip }) => {
    skip(dilation > 1, 'TensorFlow.js defines no gradient of a dilated convolution');
    const weights = tf.randomNormal(ours(x(), w()).shape, 0, 1, 'float32', 3);
    // linear in each input: differences are exact but for rounding
    await expectGradient((a, b) => tf.sum(tf.mul(ours(a as tf.Tensor, b as tf.Tensor), weights)), [x(), w()], {
      step: 1,
      rtol: 1e-3,
    });
  });
});

describe('matrix product', () => {
  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])('with transposes %s, %s', (transposeA, transposeB) => {
    const a = tf.tensor3d([1, 2, 3, 4, 5, 6, -1, 0, 1, 2, -2, 1], [2, 2, 3]);
    const b = tf.tensor3d([1, 0, 2, 1, 3, -1], [1, 3, 2]);
    const got = tf.matMul(
      transposeA ? tf.transpose(a, [0, 2, 1]) : a,
      transposeB ? tf.transpose(b, [0, 2, 1]) : b,
      transposeA,
      transposeB,
    );
    expect(got.shape).toEqual([2, 2, 2]);
    expect(Array.from(got.dataSync())).toEqual([14, -1, 32, -1, 2, -1, 1, -3]);
  });

  it('sums in float64', () => {
    const ones = 1 << 16;
    const row = tf.reshape(tf.concat([tf.tensor1d([2 ** 24]), tf.ones([ones])]), [1, ones + 1]);
    const a = row as tf.Tensor2D;
    const b = tf.ones<tf.Rank.R2>([ones + 1, 1]);
    expect(tf.matMul(a, b).dataSync()[0]).toBe(2 ** 24 + ones);
    expect(tf.fused.matMul({ a, b }).dataSync()[0]).toBe(2 ** 24 + ones);
    expect(tf.fused.matMul({ a, b, bias: tf.tensor1d([-(2 ** 24)]) }).dataSync()[0]).toBe(ones);
  });

  it('adds a bias to every row, and leaves activations to TensorFlow.js', () => {
    const a = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    const options = { a, b: tf.tensor2d([1, 0, 0, 1], [2, 2]), bias: tf.tensor1d([10, -3]) };
    expect(Array.from(tf.fused.matMul(options).dataSync())).toEqual([11, -1, 13, 1]);
    expect(Array.from(tf.fused.matMul({ ...options, activation: 'relu' }).dataSync())).toEqual([11, 0, 13, 1]);
  });

  it('leaves what it cannot do to TensorFlow.js', () => {
    const product = tf.matMul(tf.ones([2, 1, 2, 2], 'float32'), tf.ones([1, 3, 2, 2]));
    expect(product.shape).toEqual([2, 3, 2, 2]);
    expect(tf.matMul(tf.ones([2, 2], 'int32'), tf.ones([2, 2], 'int32')).dtype).toBe('int32');
  });

  it('leaves nothing behind', async () => {
    await expectNoLeak(() => {
      const a = tf.ones([2, 2]);
      tf.dispose([tf.matMul(a, a), a]);
    });
  });
});
