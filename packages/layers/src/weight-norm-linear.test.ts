import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { unitLength, weightNormLinear } from './index.ts';

describeEngines('weightNormLinear', () => {
  it('multiplies by lengths times directions', async () => {
    const layer = weightNormLinear({ units: 2, name: 'last' });
    layer.apply(tf.ones([1, 2]));
    layer.setWeights(
      [
        tf.tensor2d([[2], [10]]),
        tf.tensor2d([
          [3, 4],
          [0, -7],
        ]),
      ].reverse(),
    );
    // [1, 2] . [0.6, 0.8] 2 = 4.4; [1, 2] . [0, -1] 10 = -20
    await expectClose(layer.apply(tf.tensor2d([[1, 2]])), [4.4, -20], { rtol: 1e-6 });
  });

  it('trains directions, and lengths where that is asked for', () => {
    for (const learnLengths of [false, true]) {
      const layer = weightNormLinear({ units: 5, learnLengths });
      layer.apply(tf.ones([1, 3]));
      expect(layer.trainableWeights.map(({ shape }) => shape)).toEqual(
        learnLengths
          ? [
              [5, 1],
              [5, 3],
            ]
          : [[5, 3]],
      );
    }
  });

  it('refuses what it cannot build', () => {
    expect(() => weightNormLinear({ units: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: weightNormLinear: units must be an integer of at least 1, got 0. Pass a whole number.]`,
    );
    expect(() => weightNormLinear({ units: 3 }).apply(tf.ones([2, 2, 2]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: weightNormLinear: input must have shape [N, features] with features known, got [2, 2, 2]. Flatten or pool the input first.]`,
    );
  });
});

describeEngines('unitLength', () => {
  it('divides rows by their norms', async () => {
    await expectClose(
      unitLength().apply(
        tf.tensor2d([
          [3, 4],
          [0, 0],
        ]),
      ),
      [0.6, 0.8, 0, 0],
      { atol: 1e-7 },
    );
  });

  it('refuses images', () => {
    expect(() => unitLength().computeOutputShape([null, 2, 2, 3])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: unitLength: input must have shape [N, features], got [null, 2, 2, 3]. Flatten or pool the input first.]`,
    );
  });
});
