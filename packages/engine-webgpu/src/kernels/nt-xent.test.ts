import * as tf from '@tensorflow/tfjs-core';
import { ntXentWithRanks } from '@tfjs-ssl/ops';
import { describe, it } from 'vitest';
import { expectSameOnCpu } from '../../test-support/on-both.ts';

const projections = (rows: number, elements: number, scale = 1): tf.Tensor2D =>
  tf.mul(tf.randomNormal([rows, elements], 0, 1, 'float32', 3), scale) as tf.Tensor2D;

/** Loss, ranks and gradient of 3 times the loss. */
function run(z: tf.Tensor2D, temperature: number): Record<string, tf.Tensor> {
  const { loss, ranks } = ntXentWithRanks(z, { temperature });
  const f = (x: tf.Tensor) => tf.mul(ntXentWithRanks(x as tf.Tensor2D, { temperature }).loss, 3) as tf.Scalar;
  return { loss, ranks, gradient: tf.grad(f)(z) };
}

describe('NTXent and its gradient', () => {
  it.each([
    [128, 128, 0.07], // the paper's vectors
    [64, 128, 0.5],
    [2, 3, 0.5],
    [12, 7, 0.07],
    [66, 130, 0.07], // neither anchors nor candidates nor elements fill their tiles
    [40, 300, 0.1],
  ])('equal their composition for %i rows of %i elements, temperature %f', async (rows, elements, temperature) => {
    await expectSameOnCpu(() => run(projections(rows, elements), temperature), { rtol: 1e-6, scaled: 5e-6 });
  });

  it('count ties for the positive', async () => {
    await expectSameOnCpu(() => {
      const z = tf.tensor2d([
        [1, 2],
        [3, 1],
        [1, 2],
        [1, 2],
        [2, 1],
        [1, 2],
      ]);
      return { ranks: ntXentWithRanks(z, { temperature: 0.1 }).ranks };
    }, {});
  });

  it('do not drown a small loss in the rounding of large logits', async () => {
    await expectSameOnCpu(
      () => {
        const z = tf.tensor2d([
          [10, 0, 0],
          [0, 0.1, 0],
          [0, 0, 3],
          [1, 0, 0],
          [0, 7, 0],
          [0, 0, 1],
        ]);
        return { loss: ntXentWithRanks(z, { temperature: 0.07 }).loss };
      },
      { atol: 2.5e-7 },
    ); // two units of the last place of 1 + loss
  });

  it('do not divide by zero', async () => {
    await expectSameOnCpu(() => run(tf.concat([projections(3, 8), tf.zeros([1, 8])]) as tf.Tensor2D, 0.5), {
      scaled: 1e-5,
    });
  });

  it('give a row that is not a number the last rank', async () => {
    await expectSameOnCpu(() => {
      const spoiled = tf.concat([projections(5, 4), tf.fill([1, 4], Number.NaN)]) as tf.Tensor2D;
      const { loss, ranks } = ntXentWithRanks(spoiled, { temperature: 0.5 });
      return { isNaN: tf.cast(tf.isNaN(loss), 'float32'), ranks };
    }, {});
  });
});
