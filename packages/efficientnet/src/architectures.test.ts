import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import {
  efficientnetB0,
  efficientnetB1,
  efficientnetB2,
  efficientnetB3,
  efficientnetB4,
  encodeWeights,
  namedWeights,
  stochasticDepthTable,
} from './index.ts';

const images = (side: number, count = 2) => tf.randomUniform([count, side, side, 3], 0, 1, 'float32', 1);
const narrow = { width: 0.1, stem: 'small', stochasticDepth: 0 } as const;

describeEngines('efficientnets', () => {
  it.each([
    { name: 'efficientnet_b0', architecture: efficientnetB0, blocks: 16, features: 320 },
    { name: 'efficientnet_b1', architecture: efficientnetB1, blocks: 23, features: 320 },
    { name: 'efficientnet_b2', architecture: efficientnetB2, blocks: 23, features: 352 },
    { name: 'efficientnet_b3', architecture: efficientnetB3, blocks: 26, features: 384 },
    { name: 'efficientnet_b4', architecture: efficientnetB4, blocks: 32, features: 448 },
  ])('$name has the blocks and features of its scale', ({ name, architecture, blocks, features }) => {
    const model = architecture({ width: 0.25 });
    const gates = Object.keys(namedWeights(model).parameters).filter((key) => key.endsWith('.fc1.weight'));
    expect(gates.length).toBe(blocks);
    expect(model.name).toBe(name);
    expect(model.outputs[0]?.shape).toEqual([null, features]);
    model.dispose();
  });

  it('keeps the paths that are easily got wrong', () => {
    const shapes = Object.fromEntries(
      Object.entries(namedWeights(efficientnetB0()).parameters).map(([name, { shape }]) => [name, shape]),
    );
    // the first stage has no expansion: its depthwise convolution comes first
    expect(shapes['features.1.0.block.0.0.weight']).toEqual([3, 3, 1, 32]);
    expect(shapes['features.2.0.block.0.0.weight']).toEqual([1, 1, 16, 96]);
    // a quarter of the block's input, not of the expanded channels
    expect(shapes['features.2.0.block.2.fc1.weight']).toEqual([1, 1, 96, 4]);
    expect(shapes['features.2.0.block.2.fc2.bias']).toEqual([96]);
    expect(shapes['features.8.0.weight']).toEqual([1, 1, 320, 1280]);
    expect(shapes['features.2.0.block.0.0.bias']).toBeUndefined();
  });

  it('halves the image five times, or four times with the small stem', () => {
    const size = (stem: 'imagenet' | 'small', side: number) => {
      const model = efficientnetB0({ width: 0.25, stem, inputShape: [side, side, 3] });
      return model.getLayer('features.8.0').outputShape.slice(1, 3);
    };
    expect(size('imagenet', 64)).toEqual([2, 2]);
    expect(size('imagenet', 65)).toEqual([3, 3]); // padding is symmetric: odd sides are rounded up
    expect(size('small', 32)).toEqual([2, 2]);
  });

  it('has a depth and a width of its own', () => {
    const count = (options: object) =>
      Object.keys(namedWeights(efficientnetB0(options)).parameters).filter((name) => name.endsWith('fc1.weight'))
        .length;
    expect(count({ width: 0.25, depth: 0.5 })).toBe(10);
    expect(efficientnetB0({ width: 0.5 }).outputs[0]?.shape).toEqual([null, 640]);
  });

  it('starts as torchvision does', async () => {
    const { parameters } = namedWeights(efficientnetB0({ seed: 3 }));
    const deviation = async (name: string) => {
      const values = await (parameters[name] as tf.Variable).data<'float32'>();
      return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    };
    // kaiming_normal_(mode='fan_out'): sqrt(2 / (outputs x window)), for depthwise windows as for others
    expect(await deviation('features.8.0.weight')).toBeCloseTo(Math.sqrt(2 / 1280), 3);
    expect((await deviation('features.6.2.block.1.0.weight')) / Math.sqrt(2 / (1152 * 25))).toBeCloseTo(1, 1);
    expect((await deviation('features.6.2.block.2.fc1.weight')) / Math.sqrt(2 / 48)).toBeCloseTo(1, 1);
    expect(await deviation('features.6.2.block.2.fc1.bias')).toBe(0);
    expect(await deviation('features.6.2.block.1.1.weight')).toBe(1);
  });

  it('starts from the same weights for the same seed only', async () => {
    const bytes = (seed: number | string) => encodeWeights(efficientnetB0({ width: 0.1, seed }));
    expect(await bytes('one')).toEqual(await bytes('one'));
    expect(await bytes(1)).not.toEqual(await bytes(2));
  });

  it('leaves branches out in training alone, by the table', async () => {
    const options = { width: 0.1, depth: 0.5, stem: 'small', seed: 1, stochasticDepth: 0.5 } as const;
    const [model, whole] = [efficientnetB0(options), efficientnetB0({ ...options, stochasticDepth: 0 })];
    const x = images(16, 4);
    await expectClose(model.predict(x), whole.predict(x), {});
    const table = stochasticDepthTable(model, { seed: 1, step: 0, rows: 4 });
    const ones = tf.onesLike(table);
    await expectClose(model.apply(x, { training: true, stochasticDepth: ones }), whole.apply(x, { training: true }), {
      atol: 1e-5,
      rtol: 1e-5,
    });
    const [once, again] = [0, 1].map(() => model.apply(x, { training: true, stochasticDepth: table }));
    await expectClose(once as tf.Tensor, again as tf.Tensor, {});
    const other = whole.apply(x, { training: true });
    expect((await tf.max(tf.abs(tf.sub(once as tf.Tensor, other))).data())[0]).toBeGreaterThan(0.01);
  });

  it('gives back all memory', async () => {
    const x = images(8);
    await expectNoLeak(() => {
      const model = efficientnetB0({ ...narrow, depth: 0.5 });
      model.predict(x).dispose();
      model.apply(x, { training: true }).dispose();
      model.dispose();
    });
  });

  it('refuses what it cannot build, and training without a table', () => {
    expect(() => efficientnetB0({ stem: 'cifar' as 'small' })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: efficientnetB0: stem must be 'imagenet' or 'small', got 'cifar'. Use 'small' for images of 32 pixels and less.]`,
    );
    expect(() => efficientnetB1({ width: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: efficientnetB1: width must be a finite number above 0, got 0. The standard one is 1.]`,
    );
    expect(() => efficientnetB2({ depth: Number.NaN })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: efficientnetB2: depth must be a finite number above 0, got NaN. The standard one is 1.]`,
    );
    expect(() => efficientnetB3({ stochasticDepth: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: efficientnetB3: stochasticDepth must be a finite number in [0, 1), got 1. Pass 0 to train all rows.]`,
    );
    expect(() => efficientnetB4({ inputShape: [64, 64] as never })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: efficientnetB4: inputShape must be [height, width, channels], got [64, 64]. Leave the batch axis out; use null for a size that varies.]`,
    );
    const model = efficientnetB0({ width: 0.25 });
    expect(() => model.apply(images(32), { training: true })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: stochasticDepth: options.stochasticDepth must be a tensor of shape [layers, 2] in training, with a row for this layer, 0, got none. Pass model.apply(x, { training: true, stochasticDepth: stochasticDepthTable(model, { seed, step, rows }) }), or build the model with stochasticDepth: 0.]`,
    );
    const table = stochasticDepthTable(model, { step: 0, rows: 3 });
    expect(() =>
      model.apply(images(32), { training: true, stochasticDepth: table }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: stochasticDepth: options.stochasticDepth must be a tensor of shape [layers, 2] in training, with a row for this layer, 0, got shape [9, 3]. Pass model.apply(x, { training: true, stochasticDepth: stochasticDepthTable(model, { seed, step, rows }) }), or build the model with stochasticDepth: 0.]`,
    );
  });
});
