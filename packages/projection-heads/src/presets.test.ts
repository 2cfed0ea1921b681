import type { LayersModel } from '@tensorflow/tfjs-layers';
import { namedWeights } from '@tfjs-ssl/layers';
import { describeEngines } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { simclrHead, simclrV2Head } from './presets.ts';

const countParameters = (model: LayersModel) =>
  Object.values(namedWeights(model).parameters).reduce((sum, { size }) => sum + size, 0);

const linearShapes = (model: LayersModel) =>
  Object.entries(namedWeights(model).parameters)
    .filter(([, { rank }]) => rank === 2)
    .map(([, { shape }]) => shape);

describeEngines('preset heads', () => {
  it('have the layers that they are known for', () => {
    expect(linearShapes(simclrHead())).toEqual([
      [512, 512],
      [512, 128],
    ]);
    expect(linearShapes(simclrV2Head({ inputSize: 32 }))).toEqual([
      [32, 32],
      [32, 32],
      [32, 128],
    ]);
    // Weights, and a scale and shift per output of each layer: no biases beside batch norm.
    expect(countParameters(simclrHead())).toBe(512 * 512 + 512 * 128 + 2 * (512 + 128));
  });

  it('follow the size of the features, the seed and the name', async () => {
    const head = simclrHead({ inputSize: 64, name: 'head' });
    expect([head.inputs[0]?.shape, head.outputs[0]?.shape, head.name]).toEqual([[null, 64], [null, 128], 'head']);
    expect(linearShapes(head)[0]).toEqual([64, 64]);
    const first = (seed: number) => namedWeights(simclrHead({ inputSize: 8, seed })).parameters['0.weight']?.data();
    expect(await first(1)).toEqual(await first(1));
    expect(await first(1)).not.toEqual(await first(2));
  });
});
