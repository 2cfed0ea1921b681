import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { featureQueue } from '../index.ts';

describeEngines('featureQueue', () => {
  it('starts with unit rows of its seed', async () => {
    const [a, b, c] = [1, 1, 'two'].map((seed) => featureQueue({ size: 50, width: 3, seed })) as [
      ReturnType<typeof featureQueue>,
      ReturnType<typeof featureQueue>,
      ReturnType<typeof featureQueue>,
    ];
    await expectClose(tf.sum(tf.square(a.rows), 1), new Array(50).fill(1), { atol: 1e-6 });
    expect(await a.rows.data()).toEqual(await b.rows.data());
    expect(await a.rows.data()).not.toEqual(await c.rows.data());
    const mean = await tf.mean(a.rows).data();
    expect(Math.abs(mean[0] as number)).toBeLessThan(0.2); // everywhere on the sphere
  });

  it('puts normalised rows in the place of the oldest', async () => {
    const queue = featureQueue({ size: 3, width: 2 });
    const initial = (await queue.rows.data()).slice();
    queue.enqueue(tf.tensor2d([[3, 4]]));
    await expectClose(queue.rows, [...initial.subarray(2), 0.6, 0.8], { atol: 1e-7 });
    queue.enqueue(
      tf.tensor2d([
        [0, 2],
        [-5, 0],
      ]),
    );
    await expectClose(queue.rows, [0.6, 0.8, 0, 1, -1, 0], { atol: 1e-7 });
    queue.enqueue(
      tf.tensor2d([
        [1, 0],
        [0, -1],
        [0, 0],
      ]),
    ); // all of it; a row of zeros stays zero
    await expectClose(queue.rows, [1, 0, 0, -1, 0, 0], { atol: 1e-7 });
  });

  it('lets a step use it before, and stops gradients', async () => {
    const queue = featureQueue({ size: 2, width: 1 });
    queue.enqueue(tf.tensor2d([[1], [1]]));
    const w = tf.variable(tf.scalar(3));
    const { value, grads } = tf.variableGrads(() => {
      const keys = tf.mul<tf.Tensor2D>(tf.tensor2d([[-1]]), w);
      const loss = tf.sum(tf.mul(queue.rows, w)) as tf.Scalar; // of the rows before
      queue.enqueue(keys);
      return tf.add<tf.Scalar>(loss, tf.mul(0, tf.sum(keys)));
    }, [w]);
    await expectClose(value, [6], {});
    await expectClose(grads[w.name] as tf.Tensor, [2], {});
    await expectClose(queue.rows, [1, -1], {});
  });

  it('gives back all memory', async () => {
    const features = tf.ones<tf.Rank.R2>([2, 4]);
    await expectNoLeak(() => {
      const queue = featureQueue({ size: 8, width: 4 });
      queue.enqueue(features);
      queue.dispose();
    });
  });

  it('refuses what does not fit', () => {
    const queue = featureQueue({ size: 4, width: 3 });
    expect(() => featureQueue({ size: 0, width: 3 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: featureQueue: size must be an integer of at least 1, got 0. It is a number of rows.]`,
    );
    expect(() => featureQueue({ size: 4, width: 2.5 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: featureQueue: width must be an integer of at least 1, got 2.5. It is the output size of the head.]`,
    );
    expect(() => queue.enqueue(tf.ones([5, 3]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: featureQueue: features must have at most 4 rows, as many as the queue holds, got [5, 3]. Make the queue larger than a batch, usually many times.]`,
    );
    expect(() => queue.enqueue(tf.zeros([0, 3]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: featureQueue: features must have at least one row, got [0, 3]. Give it the rows of a batch.]`,
    );
    expect(() => queue.enqueue(tf.ones([2, 4]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: featureQueue: features must have rows of 3 elements, got [2, 4]. The width of the queue is the output size of the head.]`,
    );
    expect(() => queue.enqueue(tf.ones([2, 3], 'int32'))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: featureQueue: features must be float32, got int32. Cast them first.]`,
    );
  });
});
