import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectGradient, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { batchNormEvaluate } from './batch-norm-evaluate.ts';

describeEngines('batchNormEvaluate', () => {
  const gamma = () => tf.tensor1d([0.5, 1.5, -1]);
  const beta = () => tf.tensor1d([0.3, -0.2, 0.1]);
  const statistics = () => ({ mean: tf.tensor1d([1, -1, 0.5]), variance: tf.tensor1d([4, 0.25, 1]) });
  const noise = (seed: number) => tf.randomNormal([6, 2, 2, 3], 0.5, 2, 'float32', seed);

  it('normalises by hand', async () => {
    const given = { mean: tf.tensor1d([2]), variance: tf.tensor1d([1]) };
    const y = batchNormEvaluate(tf.tensor2d([[1], [3]]), tf.tensor1d([4]), tf.tensor1d([10]), given, { epsilon: 3 });
    await expectClose(y, [8, 12]);
  });

  it('adds the residual before the rectifier', async () => {
    const given = { mean: tf.zeros([1]) as tf.Tensor1D, variance: tf.ones([1]) as tf.Tensor1D };
    const residual = tf.tensor2d([[3], [-3]]);
    const options = { epsilon: 0, relu: true, residual };
    const y = batchNormEvaluate(tf.tensor2d([[-1], [1]]), tf.tensor1d([1]), tf.tensor1d([0]), given, options);
    await expectClose(y, [2, 0]);
  });

  it.each([[[5, 3]], [[2, 4, 3]], [[2, 3, 4, 3]], [[2, 2, 3, 2, 3]]])('takes x of shape %j', async (shape) => {
    const { mean, variance } = statistics();
    const x = tf.randomNormal(shape, 0, 1, 'float32', 3);
    const rows = tf.reshape(x, [-1, 3]);
    const expected = tf.add(tf.mul(tf.div(tf.sub(rows, mean), tf.sqrt(tf.add(variance, 1e-5))), gamma()), beta());
    const y = batchNormEvaluate(x, gamma(), beta(), { mean, variance });
    expect(y.shape).toEqual(shape);
    await expectClose(tf.reshape(y, [-1, 3]), expected, { atol: 1e-5, rtol: 1e-5 });
  });

  it.each([[false], [true]])('has the right gradients, with a residual: %s', async (shortcut) => {
    const weights = noise(7);
    const given = statistics();
    await expectGradient(
      (x, scale, shift, residual) =>
        tf.sum(
          tf.mul(
            batchNormEvaluate(
              x as tf.Tensor,
              scale as tf.Tensor1D,
              shift as tf.Tensor1D,
              given,
              residual && { residual },
            ),
            weights,
          ),
        ),
      shortcut ? [noise(5), gamma(), beta(), noise(9)] : [noise(5), gamma(), beta()],
      { step: 1e-2, rtol: 1e-2 },
    );
  });

  it.each([[false], [true]])('fuses the rectifier without another result, with a residual: %s', async (shortcut) => {
    const weights = noise(7);
    const given = statistics();
    const results = [true, false].map((relu) =>
      tf.valueAndGrads((...tensors: tf.Tensor[]) => {
        const [x, scale, shift, residual] = tensors as [tf.Tensor, tf.Tensor1D, tf.Tensor1D, tf.Tensor?];
        const output = batchNormEvaluate(x, scale, shift, given, { relu, ...(residual && { residual }) });
        return tf.sum(tf.mul(relu ? output : tf.relu(output), weights));
      })(shortcut ? [noise(5), gamma(), beta(), noise(9)] : [noise(5), gamma(), beta()]),
    );
    const [fused, composed] = results as [(typeof results)[0], (typeof results)[0]];
    await expectClose(fused.value, composed.value);
    for (const [i, gradient] of fused.grads.entries()) {
      await expectClose(gradient, composed.grads[i] as tf.Tensor, { atol: 1e-4, rtol: 1e-4 });
    }
  });

  it('leaves no tensor', async () => {
    const [x, residual, scale, shift, given] = [noise(1), noise(2), gamma(), beta(), statistics()];
    await expectNoLeak(() => batchNormEvaluate(x, scale, shift, given, { silu: true }).dispose());
    await expectNoLeak(() => batchNormEvaluate(x, scale, shift, given, { relu: true, residual }).dispose());
  });

  it('refuses what does not fit', () => {
    const x = noise(1);
    expect(() => batchNormEvaluate(x, gamma(), beta(), { ...statistics(), mean: tf.zeros([2]) })).toThrowError(
      /batchNormEvaluate: mean must have shape \[3\], the number of channels of x, got \[2\]/,
    );
    expect(() => batchNormEvaluate(x, gamma(), beta(), statistics(), { residual: tf.zeros([2]) })).toThrowError(
      /batchNormEvaluate: residual must have the shape of x/,
    );
  });
});
