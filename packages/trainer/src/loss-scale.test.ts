import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { dynamicLossScale } from './loss-scale.ts';

const number = async (tensor: tf.Tensor | undefined): Promise<number> =>
  (await (tensor as tf.Tensor).data())[0] as number;

describeEngines('dynamicLossScale', () => {
  it('starts at 2^16, and tells the update to undo it', async () => {
    const scale = dynamicLossScale();
    expect(await number(scale.enlarge(tf.scalar(0.5)))).toBe(32768);
    const gradientScale = scale.gradientScale([tf.tensor1d([65536, 1])]);
    expect(Array.from(await gradientScale.data())).toEqual([2 ** -16, 1]);
    expect(Array.from(await scale.finish(gradientScale).data())).toEqual([65536, 0]);
    expect(await number(scale.variables.finiteSteps)).toBe(1);
  });

  it('skips a step with an overflow, halves the factor and starts to count anew', async () => {
    const scale = dynamicLossScale();
    const step = (gradient: number) => scale.finish(scale.gradientScale([tf.scalar(gradient), tf.ones([3])]));
    step(1);
    expect(Array.from(await step(Number.POSITIVE_INFINITY).data())).toEqual([65536, 1]);
    expect(Array.from(await step(Number.NaN).data())).toEqual([32768, 1]);
    expect(Array.from(await step(1).data())).toEqual([16384, 0]);
    expect(await Promise.all(Object.values(scale.variables).map(number))).toEqual([16384, 1, 2]);
  });

  it('doubles the factor after 2000 finite steps in a row', async () => {
    const scale = dynamicLossScale();
    scale.variables.finiteSteps?.assign(tf.scalar(1998));
    const step = () => scale.finish(scale.gradientScale([tf.scalar(1)]));
    step();
    expect(await number(scale.variables.factor)).toBe(65536);
    expect(Array.from(await step().data())).toEqual([65536, 0]);
    expect(await Promise.all(Object.values(scale.variables).map(number))).toEqual([131072, 0, 0]);
  });

  it('leaves nothing behind but its variables', async () => {
    const scale = dynamicLossScale();
    const gradients = [tf.ones([4])];
    await expectNoLeak(() => {
      const gradientScale = scale.gradientScale(gradients);
      tf.dispose([gradientScale, scale.finish(gradientScale)]);
    });
  });
});
