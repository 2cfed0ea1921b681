import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describeEngines, expectClose, expectGradient, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { globalAveragePool } from './global-average-pool.ts';
import { stochasticDepth } from './stochastic-depth.ts';
import { stochasticDepthShape, stochasticDepthTable } from './stochastic-depth-table.ts';

/** Layers of stochastic depth with these probabilities; the output is the pooled sum. */
function model(...probabilities: number[]): tfl.LayersModel {
  const images = tfl.input({ shape: [2, 2, 3] });
  const last = probabilities.reduce<tfl.SymbolicTensor>(
    (x, probability, index) => stochasticDepth({ probability, index }).apply([x, images]) as tfl.SymbolicTensor,
    images,
  );
  return tfl.model({ inputs: images, outputs: globalAveragePool().apply(last) as tfl.SymbolicTensor, name: 'stages' });
}

describeEngines('stochasticDepth', () => {
  it('multiplies rows by their factors in training, and adds all of them otherwise', async () => {
    const layer = stochasticDepth({ probability: 0.75, index: 1 });
    const inputs = [tf.tensor2d([[1], [2], [3]]), tf.tensor2d([[10], [20], [30]])];
    const table = tf.tensor2d([
      [9, 9, 9],
      [0, 4, 0],
    ]);
    await expectClose(layer.apply(inputs, { training: true, stochasticDepth: table }) as tf.Tensor, [10, 28, 30]);
    await expectClose(layer.apply(inputs, { stochasticDepth: table }) as tf.Tensor, [11, 22, 33]);
  });

  it('has the right gradient, and none of it reaches the table', async () => {
    const layer = stochasticDepth({ probability: 0.5, index: 0 });
    const stochasticDepthOf = tf.tensor2d([[2, 0, 2]]);
    await expectGradient(
      (x, residual) =>
        tf.sum(
          tf.square(
            layer.apply([x, residual] as tf.Tensor[], {
              training: true,
              stochasticDepth: stochasticDepthOf,
            }) as tf.Tensor,
          ),
        ),
      [tf.randomNormal([3, 2, 2, 2], 0, 1, 'float32', 1), tf.randomNormal([3, 2, 2, 2], 0, 1, 'float32', 2)],
    );
  });

  it('reaches a layer inside a model', async () => {
    const of = model(0.5, 0.5);
    const table = tf.tensor2d([
      [2, 0],
      [0, 2],
    ]);
    // ones: row 0 is ((1 * 2 + 1) * 0 + 1), row 1 ((1 * 0 + 1) * 2 + 1)
    const y = of.apply(tf.ones([2, 2, 2, 3]), { training: true, stochasticDepth: table } as object) as tf.Tensor;
    await expectClose(y, [1, 1, 1, 3, 3, 3]);
  });

  it('survives its configuration', () => {
    const layer = stochasticDepth({ probability: 0.25, index: 3, name: 'drop' });
    const Class = layer.constructor as unknown as tf.serialization.SerializableConstructor<tfl.layers.Layer>;
    expect(Class.fromConfig(Class, layer.getConfig()).getConfig()).toEqual(layer.getConfig());
  });

  it('gives back all memory', async () => {
    const of = model(0.5);
    const x = tf.ones([2, 2, 2, 3]);
    await expectNoLeak(() =>
      tf.tidy(() => {
        of.apply(x, { training: true, stochasticDepth: stochasticDepthTable(of, { step: 0, rows: 2 }) } as object);
      }),
    );
  });

  it('refuses what it cannot use', () => {
    const layer = stochasticDepth({ probability: 0.5, index: 1 });
    const x = tf.ones([2, 3]);
    const table = tf.ones([1, 2]) as tf.Tensor2D;
    expect(() => stochasticDepth({ probability: 1, index: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: stochasticDepth: probability must be a finite number in [0, 1), got 1. Leave the layer out for 1, or pass 0 to keep all rows.]`,
    );
    expect(() => layer.apply([x, x], { training: true })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: stochasticDepth: options.stochasticDepth must be a tensor of shape [layers, 2] in training, with a row for this layer, 1, got none. Pass model.apply(x, { training: true, stochasticDepth: stochasticDepthTable(model, { seed, step, rows }) }), or build the model with stochasticDepth: 0.]`,
    );
    expect(() => layer.apply([x, x], { training: true, stochasticDepth: table })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: stochasticDepth: options.stochasticDepth must be a tensor of shape [layers, 2] in training, with a row for this layer, 1, got shape [1, 2]. Pass model.apply(x, { training: true, stochasticDepth: stochasticDepthTable(model, { seed, step, rows }) }), or build the model with stochasticDepth: 0.]`,
    );
    expect(() => stochasticDepthTable(model(), { step: 0, rows: 2 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: stochasticDepthTable: model must have layers of stochasticDepth, got stages without any. Apply it without a table.]`,
    );
    expect(() => stochasticDepthTable(model(0.5), { step: -1, rows: 2 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: stochasticDepthTable: step must be an integer of at least 0, got -1. Count the steps of the run from 0.]`,
    );
  });
});

describeEngines('stochasticDepthTable', () => {
  it('is zero with the probability, and keeps the mean', async () => {
    const of = model(0.1, 0.25, 0.5);
    const rows = 20000;
    expect(stochasticDepthShape(of, rows)).toEqual([3, rows]);
    const values = await stochasticDepthTable(of, { seed: 'a', step: 3, rows }).data();
    for (const [layer, probability] of [0.1, 0.25, 0.5].entries()) {
      const own = values.slice(layer * rows, (layer + 1) * rows);
      const dropped = own.filter((value) => value === 0).length / rows;
      // five standard deviations of the mean
      expect(Math.abs(dropped - probability)).toBeLessThan(5 * Math.sqrt((probability * (1 - probability)) / rows));
      expect(new Set(own)).toEqual(new Set([0, Math.fround(1 / (1 - probability))]));
    }
  });

  it('depends on seed, step, layer and row, and on nothing else', async () => {
    const of = model(0.5, 0.5);
    const table = async (key: object) => [...(await stochasticDepthTable(of, { step: 7, rows: 64, ...key }).data())];
    const first = await table({});
    expect(await table({})).toEqual(first);
    const agreement = (other: number[]) => other.filter((value, i) => value === first[i]).length / other.length;
    for (const other of [{ step: 8 }, { seed: 1 }, { seed: 'one' }, { step: 7 + 2 ** 32 }]) {
      expect(agreement(await table(other))).toBeLessThan(0.75);
    }
    expect(first.slice(0, 64)).not.toEqual(first.slice(64));
    // the rows of a rank are those of the complete batch
    const part = await table({ rows: 16, numberOf: (row: number) => 16 + row });
    expect(part.slice(0, 16)).toEqual(first.slice(16, 32));
    expect(part.slice(16)).toEqual(first.slice(80, 96));
    await expect(table({ rows: 16, numberOf: (row: number) => row / 2 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: stochasticDepthTable: numberOf must be an integer of at least 0, got 0.5. It gives the number of a row, from 0.]`,
    );
  });
});
