import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectGradient, expectNoLeak, numberOf } from '@tfjs-ssl/testing';
import { describe, expect, it } from 'vitest';
import { negativeCosine } from './index.ts';

const vectors = (rows: number, seed: number) => tf.randomNormal<tf.Rank.R2>([rows, 5], 0, 1, 'float32', seed);

describeEngines('negativeCosine', () => {
  it('equals a case worked by hand', async () => {
    const p = tf.tensor2d([
      [3, 4],
      [0, -2],
    ]);
    const z = tf.tensor2d([
      [1, 0],
      [0, 5],
    ]);
    // Cosines 0.6 and -1; the gradient is -(z - p (p . z)) / (2 |p|) in unit rows.
    const { value, grad } = tf.valueAndGrad((x: tf.Tensor) => negativeCosine(x as tf.Tensor2D, z))(p);
    await expectClose(value, [0.2], { atol: 1e-6 });
    await expectClose(grad, [-0.064, 0.048, 0, 0], { atol: 1e-6 });
  });

  it('has the gradient of its differences, and none for the targets', async () => {
    const [p, z] = [vectors(6, 1), vectors(6, 2)];
    await expectGradient((x) => negativeCosine(x as tf.Tensor2D, z), [p]);
    await expectClose(tf.grad((x) => negativeCosine(p, x as tf.Tensor2D))(z), new Float32Array(30), {});
  });

  it('does not change with the lengths of rows, from 1e-10 to 1e30', async () => {
    const [p, z] = [vectors(4, 1), vectors(4, 2)];
    const lengths = tf.tensor2d([1e-10, 1e30, 1e-3, 1e20], [4, 1]);
    const scaled = () => negativeCosine(tf.mul(p, lengths), tf.mul(z, tf.reverse(lengths)));
    await expectClose([await numberOf(scaled)], [await numberOf(() => negativeCosine(p, z))], { atol: 1e-6 });
  });

  it('leaves no tensors behind', async () => {
    const [p, z] = [vectors(4, 1), vectors(4, 2)];
    await expectNoLeak(() =>
      tf
        .grad((x) => negativeCosine(x as tf.Tensor2D, z))(p)
        .dispose(),
    );
    await expectNoLeak(() => negativeCosine(p, z).dispose());
  });
});

describe('negativeCosine refuses', () => {
  it('what does not fit', () => {
    const call = (p: tf.Tensor, z: tf.Tensor) => () => negativeCosine(p as tf.Tensor2D, z as tf.Tensor2D);
    expect(call(tf.ones([4, 2]), tf.ones([3, 2]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: negativeCosine: targets must have as many rows as predictions, 4, got 3. Row i is the target of prediction i.]`,
    );
    expect(call(tf.ones([4, 2]), tf.ones([4, 3]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: negativeCosine: targets must have rows of 2 elements, got shape [4, 3]. Use heads of one output size for all vectors.]`,
    );
    expect(call(tf.ones([4]), tf.ones([4, 2]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: negativeCosine: predictions must have rank 2 and at least 1 row and 1 column, got shape [4]. Flatten or pool each view to a vector first.]`,
    );
  });
});
