import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { emaUpdate } from './ema-update.ts';

describeEngines('emaUpdate', () => {
  it('moves averages by a share of the way', async () => {
    const [a, b] = [
      tf.variable(
        tf.tensor2d([
          [0, 4],
          [-8, 1],
        ]),
      ),
      tf.variable(tf.scalar(2)),
    ];
    emaUpdate(
      [a, b],
      [
        tf.tensor2d([
          [1, 0],
          [0, 1],
        ]),
        tf.scalar(-2),
      ],
      tf.scalar(0.25),
    );
    await expectClose(a, [0.25, 3, -6, 1], {});
    await expectClose(b, [1], {});
    emaUpdate(
      [a, b],
      [
        tf.tensor2d([
          [1, 0],
          [0, 1],
        ]),
        tf.scalar(-2),
      ],
      tf.tensor1d([0.75]),
    ); // from the other end
    await expectClose(a, [0.8125, 0.75, -1.5, 1], {});
    await expectClose(b, [-1.25], {});
  });

  it.each([0, 0.004, 0.3, 0.5, 0.996, 1])('follows the formula over several steps, share %f', async (share) => {
    const size = 40_001; // more than a block of every engine, and no multiple of a vector
    const start = Float32Array.from({ length: size }, (_, i) => Math.sin(i + 1));
    const average = tf.variable(tf.tensor1d(start.slice()));
    const expected = Float64Array.from(start);
    for (let step = 1; step <= 5; step++) {
      const values = start.map((_, i) => Math.fround(step * Math.cos(3 * i)));
      const x = tf.tensor1d(values);
      emaUpdate([average], [x], tf.scalar(share));
      x.dispose();
      const s = Math.fround(share);
      values.forEach((value, i) => {
        expected[i] = (expected[i] as number) + s * (value - (expected[i] as number));
      });
    }
    await expectClose(average, Float32Array.from(expected), { rtol: 1e-6, atol: 1e-6 });
  });

  it('copies with share 1, stays with share 0, and keeps what is equal, exactly', async () => {
    const odd = [0.1, -1e-30, 3e30, 1 / 3, 7];
    const values = tf.tensor1d(odd);
    const average = tf.variable(tf.tensor1d([5, 1e20, -0.7, 1e-8, 7]));
    const before = (await average.data()).slice();
    emaUpdate([average], [values], tf.scalar(0));
    expect(await average.data()).toEqual(before);
    emaUpdate([average], [values], tf.scalar(1));
    expect(await average.data()).toEqual(Float32Array.from(odd));
    for (const share of [0.004, 0.4, 0.6]) emaUpdate([average], [values], tf.scalar(share));
    expect(await average.data()).toEqual(Float32Array.from(odd));
  });

  it('changes nothing but the averages, even where they share memory', async () => {
    const source = tf.tensor1d([1, 2]);
    const [average, clone] = [tf.variable(source), tf.clone(source)];
    emaUpdate([average], [tf.tensor1d([3, 4])], tf.scalar(0.5));
    await expectClose(average, [2, 3], {});
    await expectClose(source, [1, 2], {});
    await expectClose(clone, [1, 2], {});
  });

  it('gives back all memory', async () => {
    const average = tf.variable(tf.ones([4]));
    const [values, share] = [tf.zeros([4]), tf.scalar(0.1)];
    await expectNoLeak(() => emaUpdate([average], [values], share));
    const buffers = tf.memory().numDataBuffers;
    emaUpdate([average], [values], share);
    expect(tf.memory().numDataBuffers).toBe(buffers);
  });

  it('takes no averages at all, and empty ones', () => {
    emaUpdate([], [], tf.scalar(0.5));
    emaUpdate([tf.variable(tf.zeros([0, 3]))], [tf.zeros([0, 3])], tf.scalar(0.5));
  });

  it('refuses what does not fit together', () => {
    const average = tf.variable(tf.ones([2]));
    expect(() => emaUpdate([average], [], tf.scalar(0.5))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: emaUpdate: values must hold 1 tensors, one per parameter, got 0. Pass all lists in the order of the parameters.]`,
    );
    expect(() => emaUpdate([average], [tf.ones([3])], tf.scalar(0.5))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: emaUpdate: values[0] must have the shape of its parameter, [2], got [3]. Pass all lists in the order of the parameters.]`,
    );
    expect(() => emaUpdate([average], [tf.ones([2])], tf.tensor1d([0.5, 1]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: emaUpdate: share must be one float32 number, got float32 of shape [2]. Pass 1 - momentum as a scalar.]`,
    );
  });
});
