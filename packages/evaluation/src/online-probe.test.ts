import * as tf from '@tensorflow/tfjs-core';
import { namedWeights } from '@tfjs-ssl/layers';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { onlineProbe } from './index.ts';

/** A probe of two features whose logits are the features, and a third of 0. */
function probeOf() {
  const probe = onlineProbe({ inputSize: 2, classes: 3 });
  const { 'fc.weight': weight, 'fc.bias': bias } = namedWeights(probe.model).parameters;
  weight?.assign(tf.tensor2d([1, 0, 0, 0, 1, 0], [2, 3]));
  bias?.assign(tf.zeros([3]));
  return { ...probe, weight: weight as tf.Variable };
}

describeEngines('onlineProbe', () => {
  const labels = () => tf.tensor1d([0, 2], 'int32');
  // rows of two views of two images: labels 0, 2, 0, 2
  const features = () =>
    tf.tensor2d([
      [2, 0],
      [1, 0],
      [0, 3],
      [-1, -2],
    ]);

  it('gives cross-entropy and accuracy of all views', async () => {
    const { loss, accuracy } = probeOf().evaluate(features(), labels());
    const lse = (...x: number[]) => Math.log(x.reduce((sum, value) => sum + Math.exp(value), 0));
    const expected = (lse(2, 0, 0) - 2 + lse(1, 0, 0) + lse(0, 3, 0) + lse(-1, -2, 0)) / 4;
    await expectClose(loss, [expected], { rtol: 1e-5 });
    await expectClose(accuracy, [0.5], {});
  });

  it('trains itself and not the features', async () => {
    const { evaluate, weight } = probeOf();
    const encoder = tf.variable(features());
    const { grads } = tf.variableGrads(() => {
      const { loss } = evaluate(encoder as tf.Tensor2D, labels());
      return tf.add<tf.Scalar>(loss, tf.sum(encoder));
    }, [encoder, weight]);
    await expectClose(grads[encoder.name] as tf.Tensor, new Array(8).fill(1), {});
    const before = await evaluate(features(), labels()).loss.array();
    weight.assign(tf.sub(weight, tf.mul(0.1, grads[weight.name] as tf.Tensor)));
    expect(await evaluate(features(), labels()).loss.array()).toBeLessThan(before);
  });

  it('gives NaN for a label that is out of range', async () => {
    for (const wrong of [-1, 3]) {
      const { loss } = probeOf().evaluate(features(), tf.tensor1d([0, wrong], 'int32'));
      expect((await loss.data())[0]).toBeNaN();
    }
  });

  it('leaves nothing behind', async () => {
    const [probe, x, y] = [probeOf(), features(), labels()];
    await expectNoLeak(() => tf.dispose(Object.values(probe.evaluate(x, y))));
  });

  it('refuses what does not fit', () => {
    const { evaluate } = probeOf();
    expect(() => onlineProbe({ inputSize: 2, classes: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: onlineProbe: classes must be an integer of at least 2, got 1. Count the classes of the labels.]`,
    );
    expect(() => evaluate(features(), tf.tensor1d([0, 1, 2], 'int32'))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: onlineProbe: labels must be a vector, one label per image, of which features have one row per view, 4 in all, got [3]. Concatenate the views, first all of view 0.]`,
    );
    expect(() => evaluate(features(), tf.tensor1d([0, 1]))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: onlineProbe: labels must be int32, got float32. Cast them, or make the feed with labels: true.]`,
    );
  });
});
