import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import {
  encodeWeights,
  loadWeights,
  namedWeights,
  resnet18,
  resnet34,
  resnet50,
  resnet101,
  resnet152,
} from './index.ts';

const images = (side: number, count = 2) => tf.randomUniform([count, side, side, 3], 0, 1, 'float32', 1);
const predict = (model: LayersModel, x: tf.Tensor) => model.predict(x) as tf.Tensor;
const countParameters = (model: LayersModel) =>
  Object.values(namedWeights(model).parameters).reduce((sum, { size }) => sum + size, 0);

describeEngines('resnets', () => {
  it.each([
    { name: 'resnet18', architecture: resnet18, weights: 60, features: 8 },
    { name: 'resnet34', architecture: resnet34, weights: 108, features: 8 },
    { name: 'resnet50', architecture: resnet50, weights: 159, features: 32 },
    { name: 'resnet101', architecture: resnet101, weights: 312, features: 32 },
    { name: 'resnet152', architecture: resnet152, weights: 465, features: 32 },
  ])('$name has the parameters and features of its depth', ({ name, architecture, weights, features }) => {
    const model = architecture({ width: 1 });
    const { parameters, buffers } = namedWeights(model);
    // One weight per convolution and two per batch norm, of which there are as many; two statistics of each.
    expect(Object.keys(parameters).length).toBe(weights);
    expect(Object.keys(buffers).length).toBe((2 * weights) / 3);
    expect(model.name).toBe(name);
    expect(model.outputs[0]?.shape).toEqual([null, features]);
    model.dispose();
  });

  it('keeps the paths that the architecture has', () => {
    const shapes = Object.fromEntries(
      Object.entries(namedWeights(resnet50({ width: 2 })).parameters).map(([name, { shape }]) => [name, shape]),
    );
    expect(shapes['layer1.0.downsample.0.weight']).toEqual([1, 1, 2, 8]);
    expect(shapes['layer1.1.downsample.0.weight']).toBeUndefined();
    expect(shapes['layer2.0.conv2.weight']).toEqual([3, 3, 4, 4]);
    expect(shapes['layer4.2.conv3.weight']).toEqual([1, 1, 16, 64]);
    const basic = namedWeights(resnet18({ width: 2 })).parameters;
    expect(basic['layer1.0.downsample.0.weight']).toBeUndefined();
    expect(basic['layer2.0.downsample.0.weight']?.shape).toEqual([1, 1, 2, 4]);
  });

  it('takes images of any size, also such as are not powers of two', () => {
    const model = resnet18({ width: 2 });
    for (const side of [32, 33, 45]) expect(predict(model, images(side)).shape).toEqual([2, 16]);
    expect(predict(resnet18({ width: 2, stem: 'small' }), images(8)).shape).toEqual([2, 16]);
    expect(resnet18({ width: 2, inputShape: [64, 48, 1] }).inputs[0]?.shape).toEqual([null, 64, 48, 1]);
  });

  it('computes each image by itself when it evaluates, and by its batch when it trains', async () => {
    const model = resnet18({ width: 2, stem: 'small' });
    const x = images(8, 3);
    const first = tf.slice(x, [0, 0, 0, 0], [1, 8, 8, 3]);
    const of = (y: tf.Tensor) => tf.slice(y, [0, 0], [1, 16]);
    await expectClose(predict(model, first), of(predict(model, x)), { atol: 1e-5, rtol: 1e-5 });
    const alone = model.apply(tf.concat([first, first]), { training: true }) as tf.Tensor;
    const together = model.apply(x, { training: true }) as tf.Tensor;
    expect((await tf.max(tf.abs(tf.sub(of(alone), of(together)))).data())[0]).toBeGreaterThan(0.01);
  });

  it('starts from the same weights for the same seed only', async () => {
    const bytes = (seed: number | string) => encodeWeights(resnet18({ width: 1, seed }));
    expect(await bytes(1)).toEqual(await bytes(1));
    expect(await bytes('one')).toEqual(await bytes('one'));
    expect(await bytes(1)).not.toEqual(await bytes(2));
  });

  it('starts as its stem where residual blocks start at zero', async () => {
    const { parameters } = namedWeights(resnet18({ width: 2, zeroInitResidual: true }));
    const atZero: string[] = [];
    for (const [name, weight] of Object.entries(parameters)) {
      if (/bn\d\.weight$/.test(name) && (await weight.data()).every((value) => value === 0)) atZero.push(name);
    }
    const lastOfBlock = Object.keys(parameters).filter((name) => /^layer\d\.\d\.bn2\.weight$/.test(name));
    expect(atZero).toEqual(lastOfBlock);
    expect(lastOfBlock.length).toBe(8);
    const bottleneck = namedWeights(resnet50({ width: 1, zeroInitResidual: true })).parameters;
    expect([...(await (bottleneck['layer1.0.bn3.weight'] as tf.Tensor).data())]).toEqual([0, 0, 0, 0]);
    expect([...(await (bottleneck['layer1.0.bn2.weight'] as tf.Tensor).data())]).toEqual([1]);
  });

  it('lives beside another of its kind', async () => {
    const [a, b] = [resnet18({ width: 1, seed: 1 }), resnet18({ width: 1, seed: 2 })];
    const x = images(32);
    const before = predict(a, x);
    await loadWeights(b, await encodeWeights(a));
    await expectClose(predict(b, x), before, {});
    b.dispose();
    await expectClose(predict(a, x), before, {});
    expect(countParameters(a)).toBeGreaterThan(0);
  });

  it('gives back all memory', async () => {
    const x = images(8);
    await expectNoLeak(() => {
      const model = resnet18({ width: 1, stem: 'small' });
      predict(model, x).dispose();
      (model.apply(x, { training: true }) as tf.Tensor).dispose();
      model.dispose();
    });
  });

  it('refuses what it cannot build', () => {
    expect(() => resnet18({ stem: 'cifar' as 'small' })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: resnet18: stem must be 'imagenet' or 'small', got 'cifar'. Use 'small' for images of 32 pixels and less.]`,
    );
    expect(() => resnet34({ width: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: resnet34: width must be an integer of at least 1, got 0. The standard one is 64.]`,
    );
    expect(() => resnet50({ inputShape: [64, 64] as never })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: resnet50: inputShape must be [height, width, channels], got [64, 64]. Leave the batch axis out; use null for a size that varies.]`,
    );
    expect(() => resnet18({ inputShape: [null, null, 0] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: resnet18: inputShape must be [height, width, channels], got [null, null, 0]. Leave the batch axis out; use null for a size that varies.]`,
    );
  });
});
