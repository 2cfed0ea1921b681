import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { readInto, tensorOf } from './transfer.ts';

describeEngines('readInto', ({ name }) => {
  it('copies elements, also of what another op has made', ({ skip }) => {
    skip(name === 'webgpu', 'a GPU cannot be read synchronously');
    const buffer = new Float32Array(6);
    readInto(tf.tensor2d([1, 2, 3, 4], [2, 2]), buffer.subarray(1, 5));
    expect([...buffer]).toEqual([0, 1, 2, 3, 4, 0]);
    const x = tf.neg(tf.tensor1d([1, 2, 3]));
    readInto(x, buffer.subarray(3));
    expect([...buffer]).toEqual([0, 1, 2, -1, -2, -3]);
    buffer.fill(9);
    expect([...x.dataSync()]).toEqual([-1, -2, -3]);
  });

  it('refuses an array of another length, and other numbers', () => {
    expect(() => readInto(tf.zeros([2, 3]), new Float32Array(5))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: readInto: target must have the 6 elements of the tensor, got 5. Pass a part of it, made by \`subarray\`.]`,
    );
    expect(() => readInto(tf.zeros([2], 'int32'), new Float32Array(2))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: readInto: tensor must be float32, got int32. Cast it first.]`,
    );
  });
});

describeEngines('tensorOf', () => {
  it('keeps nothing of the array', async () => {
    const values = Float32Array.of(1, 2, 3, 4, 5, 6);
    const x = tensorOf(values.subarray(2), [2, 2]);
    values.fill(9);
    await expectClose(x, [3, 4, 5, 6], {});
    const held = tf.tidy(() => tf.variable(tensorOf(values.fill(7).subarray(0, 2), [2])));
    values.fill(8);
    await expectClose(held, [7, 7], {});
  });

  it('refuses a shape of other elements', () => {
    expect(() => tensorOf(new Float32Array(5), [2, 3])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: tensorOf: shape must have 5 elements, as the array has, got [2, 3]. Pass a part of the array, made by \`subarray\`.]`,
    );
  });

  it('leaves nothing behind', async () => {
    await expectNoLeak(() => tensorOf(new Float32Array(64), [8, 8]).dispose());
  });
});
