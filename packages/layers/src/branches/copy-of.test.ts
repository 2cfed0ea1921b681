import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, expectTypeOf, it } from 'vitest';
import {
  batchNorm,
  conv2d,
  copyOf,
  encodeWeights,
  globalAveragePool,
  linear,
  maxPool2d,
  namedWeights,
  type TypedModel,
  typedModel,
  unitLength,
  weightNormLinear,
} from '../index.ts';

/** Every layer of the package, a shortcut, stock layers and a model within. */
function network(): TypedModel {
  const images = tfl.input({ shape: [8, 8, 3], name: 'images' });
  let x = conv2d({ filters: 3, kernelSize: 3, padding: 1, name: 'conv1' }).apply(images);
  const both = [x, images] as tfl.SymbolicTensor[];
  x = batchNorm({ relu: true, name: 'bn1' }).apply(both) as tfl.SymbolicTensor;
  x = maxPool2d({ poolSize: 2, strides: 2, name: 'pool' }).apply(x);
  x = globalAveragePool({ name: 'avgpool' }).apply(x);
  const inner = tfl.sequential({
    name: 'inner',
    layers: [
      tfl.layers.inputLayer({ inputShape: [3] }),
      linear({ units: 6, deviation: 0.1, name: '0' }),
      batchNorm({ affine: false, name: '1' }),
      tfl.layers.dense({ units: 5, activation: 'gelu', name: 'dense' }),
    ],
  });
  x = inner.apply(x) as tfl.SymbolicTensor;
  x = unitLength({ name: 'unit' }).apply(x);
  x = weightNormLinear({ units: 4, name: 'last' }).apply(x);
  const model = tfl.model({ inputs: images, outputs: x, name: 'network' });
  model.setUserDefinedMetadata({ architecture: 'test', sizes: [3, 4] });
  return typedModel(model, 2);
}

const images = (seed: number) => tf.randomUniform<tf.Rank.R4>([4, 8, 8, 3], 0, 1, 'float32', seed);

describeEngines('copyOf', () => {
  it('has the same architecture, names, values and metadata', async () => {
    const model = network();
    model.apply(images(1), { training: true }); // other running statistics than those of a new model
    const copy = copyOf(model);
    expectTypeOf(copy).toEqualTypeOf<TypedModel>();
    expect(await encodeWeights(copy)).toEqual(await encodeWeights(model));
    expect(copy.name).toBe('network');
    expect(copy.getConfig()).toEqual(model.getConfig());
    expect(Object.keys(namedWeights(copy).parameters)).toEqual(Object.keys(namedWeights(model).parameters));
    expect(await copy.predict(images(2)).data()).toEqual(await model.predict(images(2)).data());
    expect(() => copy.apply(tf.ones([4, 6, 8, 3]))).toThrow(/network: the input must have shape \[N, 8, 8, 3\]/);
  });

  it('has variables of its own', async () => {
    const model = network();
    const copy = copyOf(model);
    const before = await encodeWeights(model);
    for (const variable of Object.values(namedWeights(copy).parameters)) variable.assign(tf.add(variable, 1));
    copy.apply(images(1), { training: true });
    expect(await encodeWeights(model)).toEqual(before);
    expect(await encodeWeights(copy)).not.toEqual(before);
    copy.dispose();
    await expectClose(tf.mean(model.predict(images(1))), tf.mean(model.predict(images(1))), {});
  });

  it('trains what the model trains', () => {
    const model = network();
    model.getLayer('conv1').trainable = false;
    (model.getLayer('inner') as tfl.LayersModel).getLayer('0').trainable = false;
    const names = (of: tfl.LayersModel) => Object.keys(namedWeights(of).parameters);
    expect(names(copyOf(model))).toEqual(names(model));
    expect(names(copyOf(model))).not.toContain('conv1.weight');
    model.trainable = false;
    expect(names(copyOf(model))).toEqual([]);
  });

  it('copies models of TensorFlow.js, sequential ones too', async () => {
    const layers = [
      tfl.layers.dense({ inputShape: [3], units: 4, activation: 'relu' }),
      tfl.layers.batchNormalization(),
      tfl.layers.dense({ units: 2 }),
    ];
    const model = tfl.sequential({ layers });
    const copy = copyOf(model);
    const x = tf.randomNormal([5, 3], 0, 1, 'float32', 1);
    await expectClose(copy.predict(x) as tf.Tensor, model.predict(x) as tf.Tensor, {});
    expect(copy).toBeInstanceOf(tfl.Sequential);
  });

  it('gives back all memory', async () => {
    const model = network();
    copyOf(model).dispose();
    await expectNoLeak(() => {
      copyOf(model).dispose();
    });
  });

  it('refuses what is no model', () => {
    expect(() => copyOf({ encoder: network() } as never)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: copyOf: model must be a LayersModel, got an object (Object). Pass one model; movingAverage takes several by name.]`,
    );
    expect(() => copyOf(undefined as never)).toThrow(TypeError);
  });
});
