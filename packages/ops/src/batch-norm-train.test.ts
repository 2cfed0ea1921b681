import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectGradient, expectNoLeak } from '@tfjs-ssl/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { batchNormTrain } from './batch-norm-train.ts';

describeEngines('batchNormTrain', () => {
  it('normalises a column by hand', async () => {
    // Column [1, 3]: mean 2, biased variance 1; epsilon 3 makes the divisor 2.
    const { output, mean, variance } = batchNormTrain(tf.tensor2d([[1], [3]]), tf.tensor1d([4]), tf.tensor1d([10]), {
      epsilon: 3,
    });
    await expectClose(output, [8, 12]);
    await expectClose(mean, [2]);
    await expectClose(variance, [1]);
  });

  it('adds the residual before the rectifier', async () => {
    const x = tf.tensor2d([[-1], [1]]);
    const residual = tf.tensor2d([[3], [-3]]);
    const options = { epsilon: 0, relu: true, residual };
    await expectClose(batchNormTrain(x, tf.tensor1d([1]), tf.tensor1d([0]), options).output, [2, 0]);
  });

  it('takes statistics over all axes but the last', async () => {
    const x = tf.randomNormal([3, 4, 5, 2], 1, 2, 'float32', 1);
    const { output, mean, variance } = batchNormTrain(x, tf.ones([2]), tf.zeros([2]));
    const moments = tf.moments(x, [0, 1, 2]);
    await expectClose(mean, moments.mean);
    await expectClose(variance, moments.variance);
    const after = tf.moments(output, [0, 1, 2]);
    await expectClose(after.mean, [0, 0]);
    await expectClose(after.variance, [1, 1], { atol: 1e-4 });
  });

  it('keeps the digits of data far from zero', async () => {
    const x = tf.randomNormal([64, 4], 0, 1, 'float32', 3);
    const near = batchNormTrain(x, tf.ones([4]), tf.zeros([4]));
    const far = batchNormTrain(tf.add(x, 1000), tf.ones([4]), tf.zeros([4]));
    await expectClose(far.variance, near.variance, { rtol: 1e-3 });
    await expectClose(far.output, near.output, { atol: 1e-3 });
  });

  it('spoils the channels whose statistics are not finite, and no other', async () => {
    for (const channels of [3, 4]) {
      const values = Float32Array.from({ length: 4 * channels }, (_, i) => i % 5);
      values[0] = 3e20; // whose square is infinite
      values[channels + 1] = Number.NaN;
      const x = tf.tensor2d(values, [4, channels]);
      for (const relu of [false, true]) {
        const { output } = batchNormTrain(x, tf.ones([channels]), tf.ones([channels]), { relu });
        const finite = Array.from(await output.data(), Number.isFinite);
        expect(finite).toEqual(Array.from(values, (_, i) => i % channels > 1));
      }
    }
  });

  const gamma = () => tf.tensor1d([0.5, 1.5, -1]);
  const beta = () => tf.tensor1d([0.3, -0.2, 0.1]);
  const noise = (seed: number, shift = 0) => tf.randomNormal([6, 2, 2, 3], shift, 2, 'float32', seed);

  it.each([[false], [true]])('has the right gradients, with a residual: %s', async (shortcut) => {
    const weights = noise(7);
    await expectGradient(
      (x, scale, shift, residual) => {
        const options = residual ? { residual } : {};
        const { output } = batchNormTrain(x as tf.Tensor, scale as tf.Tensor1D, shift as tf.Tensor1D, options);
        return tf.sum(tf.mul(output, weights));
      },
      shortcut ? [noise(5, 1), gamma(), beta(), noise(9)] : [noise(5, 1), gamma(), beta()],
      { step: 1e-2, rtol: 1e-2 },
    );
  });

  it.each([[false], [true]])('fuses the rectifier without another result, with a residual: %s', async (shortcut) => {
    const weights = noise(7);
    const results = [true, false].map((relu) =>
      tf.valueAndGrads((...tensors: tf.Tensor[]) => {
        const [x, scale, shift, residual] = tensors as [tf.Tensor, tf.Tensor1D, tf.Tensor1D, tf.Tensor?];
        const { output } = batchNormTrain(x, scale, shift, { relu, ...(residual && { residual }) });
        return tf.sum(tf.mul(relu ? output : tf.relu(output), weights));
      })(shortcut ? [noise(5, 1), gamma(), beta(), noise(9)] : [noise(5, 1), gamma(), beta()]),
    );
    const [fused, composed] = results as [(typeof results)[0], (typeof results)[0]];
    await expectClose(fused.value, composed.value);
    for (const [i, gradient] of fused.grads.entries()) {
      await expectClose(gradient, composed.grads[i] as tf.Tensor, { atol: 1e-4, rtol: 1e-4 });
    }
  });

  it.each([[false], [true]])('fuses SiLU without another result, with a residual: %s', async (shortcut) => {
    const weights = noise(7);
    const results = [true, false].map((fused) =>
      tf.valueAndGrads((...tensors: tf.Tensor[]) => {
        const [x, scale, shift, residual] = tensors as [tf.Tensor, tf.Tensor1D, tf.Tensor1D, tf.Tensor?];
        const { output } = batchNormTrain(x, scale, shift, { silu: fused, ...(residual && { residual }) });
        return tf.sum(tf.mul(fused ? output : tf.mul(output, tf.sigmoid(output)), weights));
      })(shortcut ? [noise(5, 1), gamma(), beta(), noise(9)] : [noise(5, 1), gamma(), beta()]),
    );
    const [fused, composed] = results as [(typeof results)[0], (typeof results)[0]];
    await expectClose(fused.value, composed.value, { rtol: 1e-4 });
    for (const [i, gradient] of fused.grads.entries()) {
      await expectClose(gradient, composed.grads[i] as tf.Tensor, { atol: 1e-4, rtol: 1e-4 });
    }
  });

  it('moves running statistics alike with SiLU, and gives back all memory', async () => {
    const x = noise(5, 1);
    const moved = [true, false].map((fused) => {
      const running = { mean: tf.variable(tf.zeros([3])), variance: tf.variable(tf.ones([3])), momentum: 0.3 };
      tf.dispose({ ...batchNormTrain(x, gamma(), beta(), { silu: fused, running }) });
      return running;
    });
    const [fused, plain] = moved as [(typeof moved)[0], (typeof moved)[0]];
    await expectClose(fused.mean as tf.Tensor, plain.mean as tf.Tensor);
    await expectClose(fused.variance as tf.Tensor, plain.variance as tf.Tensor);
    const [scale, shift] = [gamma(), beta()];
    await expectNoLeak(() => tf.dispose({ ...batchNormTrain(x, scale, shift, { silu: true }) }));
    await expectNoLeak(() => {
      tf.dispose(tf.grad((xs) => tf.sum(batchNormTrain(xs, scale, shift, { silu: true }).output))(x));
    });
  });

  it('treats mean and variance as constants', async () => {
    const x = tf.tensor2d([[1], [2], [4]]);
    const gradient = tf.grad((xs) => {
      const { output, variance } = batchNormTrain(xs, tf.ones([1]), tf.zeros([1]));
      return tf.add(tf.sum(output), tf.sum(variance));
    })(x);
    await expectClose(gradient, [0, 0, 0], { atol: 1e-5 });
  });

  it('does not depend on the scale and shift of its input, nor on the order of rows', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 4, maxLength: 12 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: -20, max: 20 }),
        async (values, scale, shift) => {
          fc.pre(new Set(values).size > 2);
          const x = tf.tensor2d(values, [values.length, 1]);
          const normalise = (input: tf.Tensor) =>
            batchNormTrain(input, tf.ones([1]), tf.zeros([1]), { epsilon: 1e-12 }).output;
          const expected = normalise(x);
          await expectClose(normalise(tf.add(tf.mul(x, scale), shift)), expected, { atol: 1e-4 });
          await expectClose(normalise(tf.reverse(x, 0)), tf.reverse(expected, 0), { atol: 1e-4 });
        },
      ),
      { numRuns: 20 },
    );
  });

  it('gives back all memory', async () => {
    const x = tf.randomNormal([4, 3]);
    const gamma = tf.ones([3]) as tf.Tensor1D;
    const beta = tf.zeros([3]) as tf.Tensor1D;
    await expectNoLeak(() => {
      const { output, mean, variance } = batchNormTrain(x, gamma, beta, { relu: true, residual: x });
      tf.dispose([output, mean, variance]);
    });
    await expectNoLeak(() => {
      tf.dispose(tf.grad((xs) => tf.sum(batchNormTrain(xs, gamma, beta, { relu: true, residual: xs }).output))(x));
    });
  });

  it('moves running statistics, the variance unbiased, and nothing that shares their memory', async () => {
    const zeros = tf.zeros([2]);
    const mean = tf.variable(zeros, false);
    const variance = tf.variable(tf.ones([2]), false);
    const x = tf.tensor2d([
      [1, 10],
      [2, 10],
      [6, 40],
    ]);
    const options = { running: { mean, variance, momentum: 0.25 } };
    const [gamma, beta] = [tf.ones([2]) as tf.Tensor1D, tf.zeros([2]) as tf.Tensor1D];
    await expectNoLeak(() => {
      tf.dispose(tf.grad((xs) => tf.sum(batchNormTrain(xs, gamma, beta, options).output))(x));
    });
    await expectClose(await mean.data(), [0.75, 5]);
    await expectClose(await variance.data(), [0.75 + 0.25 * 7, 0.75 + 0.25 * 300]);
    await expectClose(await zeros.data(), [0, 0]);
    tf.dispose(Object.values(batchNormTrain(x, gamma, beta, options)));
    await expectClose(await mean.data(), [0.75 * 0.75 + 0.75, 0.75 * 5 + 5]);
  });

  it('refuses running statistics that cannot move', () => {
    const [gamma, beta] = [tf.ones([2]) as tf.Tensor1D, tf.zeros([2]) as tf.Tensor1D];
    const [two, three] = [tf.variable(tf.ones([2])), tf.variable(tf.ones([3]))];
    const run = (x: tf.Tensor, mean: tf.Variable, momentum: number) => () =>
      batchNormTrain(x, gamma, beta, { running: { mean, variance: two, momentum } });
    expect(run(tf.ones([4, 2]), three, 0.1)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: batchNormTrain: running.mean must have shape [2], the number of channels of x, got [3]. Pass one value per channel.]`,
    );
    expect(run(tf.ones([4, 2]), two, 0)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: batchNormTrain: running.momentum must be a finite number in (0, 1], got 0. It is the weight of the new batch: Keras's 0.9 is 0.1 here.]`,
    );
    expect(run(tf.ones([1, 2]), two, 0.1)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: batchNormTrain: x must have at least two values per channel to update running statistics, got shape [1, 2]. Use a larger batch.]`,
    );
  });

  it('refuses shapes that do not fit', () => {
    const x = tf.zeros([4, 3]);
    const [three, two] = [tf.ones([3]) as tf.Tensor1D, tf.ones([2]) as tf.Tensor1D];
    expect(() => batchNormTrain(tf.zeros([3]), three, three)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: batchNormTrain: x must have shape [..., C] with at least two axes, got [3]. Add the batch axis.]`,
    );
    expect(() => batchNormTrain(x, two, three)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: batchNormTrain: gamma must have shape [3], the number of channels of x, got [2]. Pass one value per channel.]`,
    );
    expect(() => batchNormTrain(x, three, two)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: batchNormTrain: beta must have shape [3], the number of channels of x, got [2]. Pass one value per channel.]`,
    );
    expect(() => batchNormTrain(x, three, three, { residual: tf.zeros([4, 2]) })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: batchNormTrain: residual must have the shape of x, [4, 3], got [4, 2]. Project the shortcut first.]`,
    );
  });
});
