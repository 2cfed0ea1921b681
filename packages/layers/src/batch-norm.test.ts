import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { type BatchNormOptions, batchNorm } from './batch-norm.ts';

/** A built layer with its variables: weight, bias, running mean, running variance. */
function build(options: BatchNormOptions, channels = 1) {
  const layer = batchNorm(options);
  layer.build([null, channels]);
  return { layer, variables: layer.weights.map((weight) => weight.read()) };
}

describeEngines('batchNorm', () => {
  it('normalises by the batch while training, and moves the running statistics by the unbiased variance', async () => {
    const { layer, variables } = build({ momentum: 0.5, epsilon: 3 });
    // Column [1, 3]: mean 2, biased variance 1, unbiased 2; the divisor is sqrt(1 + 3) = 2.
    const y = layer.apply(tf.tensor2d([[1], [3]]), { training: true }) as tf.Tensor;
    await expectClose(y, [-0.5, 0.5]);
    await expectClose(variables[2] as tf.Tensor, [1]); // 0.5 * 0 + 0.5 * 2
    await expectClose(variables[3] as tf.Tensor, [1.5]); // 0.5 * 1 + 0.5 * 2
  });

  it('normalises by the running statistics otherwise, and leaves them alone', async () => {
    const { layer, variables } = build({ epsilon: 1 });
    layer.setWeights([tf.tensor1d([2]), tf.tensor1d([10]), tf.tensor1d([5]), tf.tensor1d([3])]);
    await expectClose(layer.apply(tf.tensor2d([[5], [7]])) as tf.Tensor, [10, 12]);
    await expectClose(layer.apply(tf.tensor2d([[5], [7]]), { training: false }) as tf.Tensor, [10, 12]);
    await expectClose(variables[2] as tf.Tensor, [5]);
    await expectClose(variables[3] as tf.Tensor, [3]);
  });

  it('changes its variables in place, of which only scale and shift are trained', () => {
    const { layer, variables } = build({});
    layer.apply(tf.tensor2d([[1], [3]]), { training: true });
    expect(layer.weights.map((weight) => weight.read())).toEqual(variables);
    expect(layer.trainableWeights.map(({ originalName }) => originalName)).toEqual(['weight', 'bias']);
    expect(layer.nonTrainableWeights.map(({ originalName }) => originalName)).toEqual(['running_mean', 'running_var']);
  });

  it.each([[true], [false]])('adds the residual, then rectifies; training: %s', async (training) => {
    const { layer } = build({ relu: true, epsilon: 1e-12 });
    const x = tf.tensor2d([[-1], [1]]); // as it is: mean 0, variance 1, in the batch and at the running statistics' start
    await expectClose(layer.apply(x, { training }) as tf.Tensor, [0, 1]);
    layer.setWeights([tf.ones([1]), tf.zeros([1]), tf.zeros([1]), tf.ones([1])]);
    await expectClose(layer.apply([x, tf.tensor2d([[3], [-3]])], { training }) as tf.Tensor, [2, 0]);
  });

  it.each([[true], [false]])('applies SiLU to the sum with the residual; training: %s', async (training) => {
    const { layer } = build({ silu: true, epsilon: 1e-12 });
    const x = tf.tensor2d([[-1], [1]]);
    const silu = (value: number) => value / (1 + Math.exp(-value));
    await expectClose(layer.apply(x, { training }) as tf.Tensor, [silu(-1), silu(1)]);
    layer.setWeights([tf.ones([1]), tf.zeros([1]), tf.zeros([1]), tf.ones([1])]);
    await expectClose(layer.apply([x, tf.tensor2d([[3], [-3]])], { training }) as tf.Tensor, [silu(2), silu(-2)]);
  });

  it('starts as the identity, or at zero where asked to', async () => {
    const x = tf.randomNormal([4, 2, 2, 3]);
    await expectClose(batchNorm({ epsilon: 1e-12 }).apply(x) as tf.Tensor, x);
    await expectClose(batchNorm({ zeroGamma: true }).apply(x) as tf.Tensor, tf.zerosLike(x));
  });

  it('survives its configuration', () => {
    const layer = batchNorm({ momentum: 0.2, epsilon: 1e-3, silu: true, zeroGamma: true, name: 'bn' });
    const Class = layer.constructor as unknown as tf.serialization.SerializableConstructor<tfl.layers.Layer>;
    expect(Class.fromConfig(Class, layer.getConfig()).getConfig()).toEqual(layer.getConfig());
  });

  it('works in a model with one input or two', () => {
    const [a, b] = [tfl.input({ shape: [4, 4, 2] }), tfl.input({ shape: [4, 4, 2] })];
    const one = batchNorm().apply(a) as tfl.SymbolicTensor;
    const two = batchNorm({ relu: true }).apply([one, b]) as tfl.SymbolicTensor;
    expect(two.shape).toEqual([null, 4, 4, 2]);
    const model = tfl.model({ inputs: [a, b], outputs: two });
    const x = tf.randomNormal([2, 4, 4, 2]);
    expect((model.apply([x, x], { training: true }) as tf.Tensor).shape).toEqual([2, 4, 4, 2]);
  });

  it('gives back all memory', async () => {
    const { layer, variables } = build({ relu: true }, 2);
    const x = tf.randomNormal([8, 2]);
    for (const training of [true, false]) {
      await expectNoLeak(() => (layer.apply([x, x], { training }) as tf.Tensor).dispose());
      const step = () =>
        tf.tidy(() => {
          tf.grads((xs) => tf.sum(layer.apply([xs, xs] as tf.Tensor[], { training }) as tf.Tensor))([
            x,
            ...variables.slice(0, 2),
          ]);
        });
      await expectNoLeak(step);
      const buffers = tf.memory().numDataBuffers;
      step();
      expect(tf.memory().numDataBuffers).toBe(buffers);
    }
  });

  it('refuses what it cannot do', () => {
    const { layer } = build({ name: 'bn' }, 2);
    expect(() => layer.apply(tf.ones([1, 2]), { training: true })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: batchNorm: input must have at least two values per channel in training, got shape [1, 2]. Use a larger batch.]`,
    );
    expect(() => batchNorm({ momentum: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: batchNorm: momentum must be a finite number in (0, 1], got 0. It is the weight of the new batch: Keras's 0.9 is 0.1 here.]`,
    );
    expect(() => batchNorm({ epsilon: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: batchNorm: epsilon must be a finite number above 0, got 0. Use 1e-5.]`,
    );
    expect(() => batchNorm({ relu: true, silu: true })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: batchNorm: silu must be false beside relu, got true. Choose one activation.]`,
    );
    expect(() => batchNorm().build([null])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: batchNorm: input must be x or [x, residual] of shape [..., C] with C known, got [null]. Give the model's input shape with its channels.]`,
    );
    expect(() =>
      batchNorm().build([
        [null, 4],
        [null, 3],
      ]),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: batchNorm: input must be x or [x, residual] of shape [..., C] with C known, got [[null, 4], [null, 3]]. Give the model's input shape with its channels.]`,
    );
  });
});
