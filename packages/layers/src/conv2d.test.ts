import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { conv2d } from './conv2d.ts';

/** The layer with a given kernel [k, k, C, O] of numbers. */
function withKernel(options: Parameters<typeof conv2d>[0], channels: number, kernel: number[], bias?: number[]) {
  const layer = conv2d({ ...options, useBias: bias !== undefined });
  layer.build([null, null, null, channels]);
  const { kernelSize, filters } = options;
  const weights: tf.Tensor[] = [tf.tensor4d(kernel, [kernelSize, kernelSize, channels, filters])];
  layer.setWeights(bias ? [...weights, tf.tensor1d(bias)] : weights);
  return layer;
}

describeEngines('conv2d', () => {
  it('pads alike on all sides where the stride is 2', async () => {
    // With ones everywhere a value counts the window's pixels inside the image: the padding lies left and top, too.
    const layer = withKernel({ filters: 1, kernelSize: 3, strides: 2, padding: 1 }, 1, Array(9).fill(1));
    const y = layer.apply(tf.ones([1, 4, 4, 1])) as tf.Tensor;
    expect(y.shape).toEqual([1, 2, 2, 1]);
    await expectClose(y, [4, 6, 6, 9]);
  });

  it('adds the bias of each output channel', async () => {
    const layer = withKernel({ filters: 2, kernelSize: 1 }, 1, [2, 3], [10, 20]);
    await expectClose(layer.apply(tf.tensor4d([1, 2], [1, 1, 2, 1])) as tf.Tensor, [12, 23, 14, 26]);
  });

  it('knows the shape that it gives, whatever the window', () => {
    const sizes = fc.record({
      height: fc.integer({ min: 1, max: 9 }),
      width: fc.integer({ min: 1, max: 9 }),
      kernelSize: fc.integer({ min: 1, max: 4 }),
      strides: fc.integer({ min: 1, max: 3 }),
      padding: fc.integer({ min: 0, max: 2 }),
    });
    fc.assert(
      fc.property(sizes, ({ height, width, ...window }) => {
        fc.pre(Math.min(height, width) + 2 * window.padding >= window.kernelSize);
        tf.tidy(() => {
          const layer = conv2d({ filters: 2, ...window });
          const shape = [1, height, width, 1];
          // What the layer computes has the shape that it announces, and that is PyTorch's.
          const out = (length: number) =>
            Math.floor((length + 2 * window.padding - window.kernelSize) / window.strides) + 1;
          expect(layer.computeOutputShape(shape)).toEqual([1, out(height), out(width), 2]);
          expect((layer.apply(tf.ones(shape)) as tf.Tensor).shape).toEqual([1, out(height), out(width), 2]);
          layer.dispose();
        });
      }),
      { numRuns: 40 },
    );
    expect(conv2d({ filters: 4, kernelSize: 3 }).computeOutputShape([null, null, 8, 3])).toEqual([null, null, 6, 4]);
  });

  it('starts from the distribution of torchvision, keyed by seed and name', async () => {
    const weights = (seed: number | string, name: string) => {
      const layer = conv2d({ filters: 32, kernelSize: 3, seed, name });
      layer.build([null, null, null, 16]);
      return layer.weights[0]?.read() as tf.Tensor;
    };
    const { mean, variance } = tf.moments(weights(1, 'a'));
    const expected = 2 / (9 * 32);
    await expectClose(variance, [expected], { rtol: 0.06 }); // 4608 values: three standard errors
    await expectClose(mean, [0], { atol: 3 * Math.sqrt(expected / 4608) });
    await expectClose(weights(1, 'a'), weights(1, 'a'), {});
    expect((await tf.equal(weights(1, 'a'), weights(2, 'a')).data()).some(Boolean)).toBe(false);
    expect((await tf.equal(weights(1, 'a'), weights(1, 'b')).data()).some(Boolean)).toBe(false);
    expect((await tf.equal(weights('one', 'a'), weights('two', 'a')).data()).some(Boolean)).toBe(false);
  });

  it('starts from the same numbers on every engine', async () => {
    const layer = conv2d({ filters: 1, kernelSize: 2, seed: 7, name: 'pinned', useBias: true });
    layer.build([null, null, null, 1]);
    const values: number[] = [];
    for (const weight of layer.weights) values.push(...(await weight.read().data<'float32'>()));
    expect(values).toMatchInlineSnapshot(`
      [
        0.3619421124458313,
        -0.19151613116264343,
        1.0730055570602417,
        -0.25755736231803894,
        -0.4574297070503235,
      ]
    `);
  });

  it('survives its configuration', async () => {
    const layer = conv2d({ filters: 2, kernelSize: 3, strides: 2, padding: 1, useBias: true, seed: 'text', name: 'c' });
    const Class = layer.constructor as unknown as tf.serialization.SerializableConstructor<tfl.layers.Layer>;
    const copy = Class.fromConfig(Class, layer.getConfig());
    expect(copy.getConfig()).toEqual(layer.getConfig());
    const x = tf.ones([1, 5, 5, 1]);
    await expectClose(copy.apply(x) as tf.Tensor, layer.apply(x) as tf.Tensor, {});
  });

  it('stands at the beginning of a sequential model', () => {
    const model = tfl.sequential();
    model.add(conv2d({ filters: 2, kernelSize: 3, inputShape: [6, 6, 1] } as Parameters<typeof conv2d>[0]));
    model.add(tfl.layers.flatten());
    expect((model.predict(tf.ones([2, 6, 6, 1])) as tf.Tensor).shape).toEqual([2, 32]);
  });

  it('gives back all memory', async () => {
    const layer = conv2d({ filters: 2, kernelSize: 3, padding: 1, useBias: true });
    const x = tf.ones([1, 4, 4, 1]);
    (layer.apply(x) as tf.Tensor).dispose();
    await expectNoLeak(() => (layer.apply(x) as tf.Tensor).dispose());
  });

  it('refuses what it cannot do', () => {
    const build =
      (options: object, shape: (number | null)[] = [null, 4, 4, 3]) =>
      () =>
        tf.tidy(() => {
          const layer = conv2d({ filters: 1, kernelSize: 3, ...options });
          layer.build(shape);
          layer.computeOutputShape(shape);
        });
    expect(build({ filters: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: conv2d: filters must be an integer of at least 1, got 0. Pass a whole number.]`,
    );
    expect(build({ padding: 0.5 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: conv2d: padding must be an integer of at least 0, got 0.5. Pass a whole number.]`,
    );
    expect(build({ kernelSize: 5 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: conv2d: input must have sides of at least 5 pixels for a window of 5 with padding 0, got shape [null, 4, 4, 3]. Use larger images or a smaller window.]`,
    );
    expect(build({}, [null, 10])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: conv2d: input must have shape [N, H, W, C] with C known, got [null, 10]. Give the model's input shape with its channels.]`,
    );
    expect(build({}, [null, 4, 4, null])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: conv2d: input must have shape [N, H, W, C] with C known, got [null, 4, 4, null]. Give the model's input shape with its channels.]`,
    );
  });
});
