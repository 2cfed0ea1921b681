import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectGradient, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { unitRows } from './unit-rows.ts';

describeEngines('unitRows', () => {
  it.each([1e-11, 1e-6, 1, 1e15, 1e19, 1e25, 1e30, 1e36])(
    'equals a case worked by hand at norm 5 times %f',
    async (scale) => {
      const z = tf.tensor2d([[3 * scale, 4 * scale]]);
      const du = tf.tensor2d([[1, 1]]);
      const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => tf.sum(tf.mul(unitRows(x as tf.Tensor2D), du)))(z);
      await expectClose(value, [1.4], { rtol: 1e-6 });
      // du - u (u . du) = [1 - 0.6 * 1.4, 1 - 0.8 * 1.4], over the norm
      await expectClose(
        Array.from(await grad.data(), (dz) => dz * scale),
        [0.16 / 5, -0.12 / 5],
        { rtol: 3e-6 },
      );
    },
  );

  it('divides rows below the smallest norm by a constant', async () => {
    const z = tf.tensor2d([
      [0, 0],
      [3e-14, 4e-14],
      [1e-30, 0],
    ]);
    await expectClose(unitRows(z), [0, 0, 0.03, 0.04, 1e-18, 0], { rtol: 1e-6 });
    const grad = tf.grad((x: tf.Tensor) => tf.sum(unitRows(x as tf.Tensor2D)))(z);
    await expectClose(grad, new Array(6).fill(1e12), { rtol: 1e-6 });
  });

  it('has no gradient along a row of one element', async () => {
    const grad = tf.grad((x: tf.Tensor) => tf.sum(unitRows(x as tf.Tensor2D)))(tf.tensor2d([[2], [-1e-5]]));
    await expectClose(grad, [0, 0], {});
  });

  it('has the gradient of its differences', async () => {
    const z = tf.randomNormal([4, 5], 0, 1, 'float32', 3);
    const weights = tf.randomNormal([4, 5], 0, 1, 'float32', 4);
    await expectGradient((x) => tf.sum(tf.mul(unitRows(x as tf.Tensor2D), weights)) as tf.Scalar, [z]);
  });

  it('keeps NaN in its row and leaves no tensors behind', async () => {
    const z = tf.tensor2d([
      [1, Number.NaN],
      [3, 4],
    ]);
    await expectNoLeak(async () => {
      const unit = unitRows(z);
      const values = await unit.data();
      expect(values[1]).toBeNaN();
      await expectClose(values.slice(2), [0.6, 0.8]);
      unit.dispose();
    });
  });
});
