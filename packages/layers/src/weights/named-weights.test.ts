import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describeEngines } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { batchNorm } from '../batch-norm.ts';
import { conv2d } from '../conv2d.ts';
import { globalAveragePool } from '../global-average-pool.ts';
import { linear } from '../linear.ts';
import { namedWeights } from './named-weights.ts';

/** Convolution, batch norm, pool; the last layer is created first. */
function encoder(name = 'encoder'): tfl.LayersModel {
  const pool = globalAveragePool({ name: 'pool' });
  const images = tfl.input({ shape: [8, 8, 3] });
  let x = conv2d({ filters: 4, kernelSize: 3, name: 'conv1' }).apply(images);
  x = batchNorm({ name: 'bn1' }).apply(x);
  return tfl.model({ inputs: images, outputs: pool.apply(x) as tfl.SymbolicTensor, name });
}

function head(): tfl.LayersModel {
  const features = tfl.input({ shape: [4] });
  const x = linear({ units: 2, name: '0' }).apply(features) as tfl.SymbolicTensor;
  return tfl.model({ inputs: features, outputs: x, name: 'head' });
}

const names = (model: tfl.LayersModel) => {
  const { parameters, buffers } = namedWeights(model);
  return { parameters: Object.keys(parameters), buffers: Object.keys(buffers) };
};

describeEngines('namedWeights', () => {
  it("gives PyTorch's names", () => {
    expect(names(encoder())).toEqual({
      parameters: ['conv1.weight', 'bn1.weight', 'bn1.bias'],
      buffers: ['bn1.running_mean', 'bn1.running_var'],
    });
  });

  it('gives the same names to every copy in a process, and the variables themselves', async () => {
    const [a, b] = [encoder(), encoder()];
    expect(names(b)).toEqual(names(a));
    const [ofA, ofB] = [a, b].map((model) => namedWeights(model).parameters['bn1.bias'] as tf.Variable);
    ofA?.assign(tf.fill([4], 3));
    expect([...(await (ofB as tf.Variable).data())]).toEqual([0, 0, 0, 0]);
    expect([...(await (a.getLayer('bn1').getWeights()[1] as tf.Tensor).data())]).toEqual([3, 3, 3, 3]);
    a.dispose();
    expect([...(await (ofB as tf.Variable).data())]).toEqual([0, 0, 0, 0]);
  });

  it('puts the name of a model inside the model first', () => {
    const inner = encoder('backbone');
    const images = tfl.input({ shape: [8, 8, 3] });
    const outer = tfl.model({ inputs: images, outputs: head().apply(inner.apply(images)) as tfl.SymbolicTensor });
    expect(names(outer).parameters).toEqual([
      'backbone.conv1.weight',
      'backbone.bn1.weight',
      'backbone.bn1.bias',
      'head.0.weight',
      'head.0.bias',
    ]);
    const sequential = tfl.sequential({ layers: [encoder('backbone'), head()] });
    expect(names(sequential)).toEqual(names(outer));
  });

  it('keeps the names of stock layers, and counts frozen weights as buffers', () => {
    const model = tfl.sequential({
      layers: [
        tfl.layers.dense({ units: 2, inputShape: [3], name: 'dense' }),
        tfl.layers.batchNormalization({ name: 'norm', trainable: false }),
      ],
    });
    expect(names(model)).toEqual({
      parameters: ['dense.kernel', 'dense.bias'],
      buffers: ['norm.gamma', 'norm.beta', 'norm.moving_mean', 'norm.moving_variance'],
    });
    (model.layers[0] as tfl.layers.Layer).trainable = false;
    expect(names(model).parameters).toEqual([]);
  });

  it('counts all weights of a frozen model as buffers, however deep they lie', () => {
    const nest = () => {
      const inner = encoder('backbone');
      const outer = tfl.sequential({ layers: [inner, head()] });
      return { inner, outer, whole: tfl.sequential({ layers: [outer] }) };
    };
    for (const frozen of ['outer', 'whole'] as const) {
      const models = nest();
      models[frozen].trainable = false;
      expect(names(models.whole).parameters).toEqual([]);
      expect(names(models.whole).buffers).toHaveLength(7);
      models[frozen].trainable = true;
      expect(names(models.whole).parameters).toHaveLength(5);
    }
    const { inner, outer } = nest();
    inner.trainable = false;
    expect(names(outer).parameters).toEqual(['head.0.weight', 'head.0.bias']);
  });

  it('tells several models apart by their keys, equal heads too', () => {
    const models = { encoder: encoder(), projector: head(), predictor: head() };
    const { parameters, buffers } = namedWeights(models);
    expect(Object.keys(parameters)).toEqual([
      ...['encoder.conv1.weight', 'encoder.bn1.weight', 'encoder.bn1.bias'],
      ...['projector.0.weight', 'projector.0.bias', 'predictor.0.weight', 'predictor.0.bias'],
    ]);
    expect(Object.keys(buffers)).toEqual(['encoder.bn1.running_mean', 'encoder.bn1.running_var']);
    expect(parameters['projector.0.weight']).toBe(namedWeights(models.projector).parameters['0.weight']);
    expect(parameters['predictor.0.weight']).toBe(namedWeights(models.predictor).parameters['0.weight']);
  });

  it('refuses what is no model', () => {
    expect(() => namedWeights({})).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: namedWeights: models must be a model or an object of models, got none. Pass a model.]`,
    );
    expect(() => namedWeights({ encoder: encoder(), head: [] as never })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: namedWeights: models.head must be a LayersModel, got Array. Pass models by name: { encoder, head }.]`,
    );
    expect(() => namedWeights(null as never)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: namedWeights: models must be a model or an object of models, got none. Pass a model.]`,
    );
  });

  it('refuses names that are not unique', () => {
    const a = tfl.input({ shape: [4] });
    const inner = linear({ units: 4, name: 'b.c' }).apply(a) as tfl.SymbolicTensor;
    const nested = tfl.model({ inputs: a, outputs: inner, name: 'a' });
    const c = tfl.input({ shape: [4] });
    const first = nested.apply(c);
    const model = tfl.model({
      inputs: c,
      outputs: linear({ units: 4, name: 'a.b.c' }).apply(first) as tfl.SymbolicTensor,
    });
    expect(() => namedWeights(model)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: namedWeights: models must have one name for each weight, got 'a.b.c.weight' twice. Give the layers different names.]`,
    );
  });
});
