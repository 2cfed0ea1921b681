import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectGradient, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { type SqueezeExciteWeights, squeezeExcite } from './squeeze-excite.ts';

const noise = <R extends tf.Rank>(shape: tf.ShapeMap[R], seed: number): tf.Tensor<R> =>
  tf.randomNormal<R>(shape, 0, 1, 'float32', seed);

const weightsOf = (channels: number, squeezed: number): SqueezeExciteWeights => ({
  squeeze: noise<tf.Rank.R2>([channels, squeezed], 1),
  squeezeBias: noise<tf.Rank.R1>([squeezed], 2),
  excite: noise<tf.Rank.R2>([squeezed, channels], 3),
  exciteBias: noise<tf.Rank.R1>([channels], 4),
});

describeEngines('squeezeExcite', () => {
  it('multiplies each channel of each image by its own gate', async () => {
    // means: image 0 has 1 and 2, image 1 has 3 and 0; one squeezed channel, their sum
    const x = tf.tensor4d([0, 2, 2, 2, 3, 0, 3, 0], [2, 1, 2, 2]);
    const y = squeezeExcite(x, {
      squeeze: tf.tensor2d([[1], [1]]),
      squeezeBias: tf.tensor1d([-3]),
      excite: tf.tensor2d([[5, -7]]),
      exciteBias: tf.tensor1d([Math.log(3), 0]),
    });
    // the sums are 3 for both, so the squeezed channel is silu(0) = 0: gates sigmoid(log 3) = 3/4 and 1/2
    await expectClose(y, [0, 1, 1.5, 1, 2.25, 0, 2.25, 0]);
  });

  it.each([
    [2, 3, 5, 6, 2],
    [3, 4, 4, 16, 4],
    [1, 1, 1, 3, 1],
  ])(
    'has the right gradients: %i images of %i x %i x %i, %i squeezed',
    async (n, height, width, channels, squeezed) => {
      const { squeeze, squeezeBias, excite, exciteBias } = weightsOf(channels, squeezed);
      const factors = noise([n, height, width, channels], 6);
      await expectGradient(
        (x, a, b, c, d) =>
          tf.sum(
            tf.mul(
              squeezeExcite(x as tf.Tensor4D, {
                squeeze: a as tf.Tensor2D,
                squeezeBias: b as tf.Tensor1D,
                excite: c as tf.Tensor2D,
                exciteBias: d as tf.Tensor1D,
              }),
              factors,
            ),
          ),
        [noise([n, height, width, channels], 5), squeeze, squeezeBias, excite, exciteBias],
      );
    },
  );

  it('gives back all memory', async () => {
    const [x, weights] = [noise<tf.Rank.R4>([2, 3, 3, 4], 1), weightsOf(4, 2)];
    await expectNoLeak(() => squeezeExcite(x, weights).dispose());
    await expectNoLeak(() =>
      tf
        .grad((xs) => tf.sum(squeezeExcite(xs as tf.Tensor4D, weights)))(x)
        .dispose(),
    );
  });

  it('refuses weights of other sizes', () => {
    const x = tf.ones([2, 3, 3, 4]) as tf.Tensor4D;
    expect(() => squeezeExcite(tf.ones([2, 4]) as never, weightsOf(4, 2))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: squeezeExcite: x must have shape [N, H, W, C], got [2, 4]. Add the missing axes.]`,
    );
    expect(() => squeezeExcite(x, { ...weightsOf(4, 2), excite: tf.ones([2, 5]) })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: squeezeExcite: weights.excite must have shape [2,4], for 4 channels of x and 2 squeezed ones, got [2, 5]. Pass weights of one gate.]`,
    );
  });
});
