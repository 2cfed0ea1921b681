import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { convolutionCandidates } from './candidates.ts';

describeEngines('ways to compute a convolution', () => {
  it('begin with the one that kernels take, and all give the same', async () => {
    const x = tf.randomNormal<tf.Rank.R4>([4, 6, 6, 8], 0, 1, 'float32', 1);
    const filter = tf.randomNormal<tf.Rank.R4>([3, 3, 8, 8], 0, 1, 'float32', 2);
    const dy = tf.conv2d(x, filter, 1, 1);
    const { forward, inputGradient, filterGradient } = convolutionCandidates(
      { x, filter, dy, stride: 1, padding: 1 },
      2,
    );
    expect([forward, inputGradient, filterGradient].map(({ length }) => length)).toEqual([2, 2, 2]);
    expect(forward[0]!.name).toMatch(/^\d+x\d+x\d+ by \d+x\d+( \/ \d+)?$/);
    expect(forward[1]!.name).not.toBe(forward[0]!.name);
    const expected = await dy.data();
    expect(await forward[0]!.run().data()).toEqual(expected);
    await expectClose(await forward[1]!.run().data(), expected, { atol: 1e-4, rtol: 1e-4 });
    expect(filterGradient[0]!.run().shape).toEqual(filter.shape);
    expect(inputGradient[0]!.run().shape).toEqual(x.shape);
  });
});
