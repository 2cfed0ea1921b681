import * as tf from '@tensorflow/tfjs-core';
import type { WeightsFile } from '@tfjs-ssl/layers';
import { describeEngines, expectClose } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import {
  efficientnetB0,
  efficientnetB1,
  encodeWeights,
  loadEfficientNet,
  loadWeights,
  namedWeights,
  readWeights,
} from './index.ts';

const floats = (shape: number[]): WeightsFile['tensors'][string] => ({
  dtype: 'F32',
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b)),
});

/** A file as torchvision's state dict: a classifier beside the encoder, and no metadata. */
async function asTorchvision(bytes: Uint8Array, prefix = ''): Promise<WeightsFile> {
  const { tensors } = await readWeights(bytes);
  const renamed = Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [prefix + name, tensor]));
  return { tensors: { ...renamed, [`${prefix}classifier.1.weight`]: floats([2, 1280]) }, metadata: {} };
}

describeEngines('loadEfficientNet', () => {
  it('builds what a file of the library says, with its width, depth and stem', async () => {
    const saved = efficientnetB1({ width: 0.25, depth: 0.5, stem: 'small', seed: 5 });
    const loaded = await loadEfficientNet(await encodeWeights(saved));
    const x = tf.randomUniform([2, 16, 16, 3], 0, 1, 'float32', 1);
    await expectClose(loaded.predict(x), saved.predict(x), {});
    expect(loaded.name).toBe('efficientnet_b1');
  });

  it('recognises the file of torchvision by its blocks, behind a prefix and beside a classifier', async () => {
    const saved = efficientnetB0({ seed: 5 });
    const file = await asTorchvision(await encodeWeights(saved), 'module.');
    const loaded = await loadEfficientNet(file, { inputShape: [32, 32, 3] });
    const names = Object.keys(namedWeights(saved).parameters);
    expect(Object.keys(namedWeights(loaded).parameters)).toEqual(names);
    const [ours, theirs] = [loaded, saved].map((model) => namedWeights(model).parameters['features.8.0.weight']);
    await expectClose(ours as tf.Variable, theirs as tf.Variable, {});
  });

  it('writes depthwise weights as [C, 1, k, k], window by window', async () => {
    const model = efficientnetB0({ width: 0.25 });
    const weight = namedWeights(model).parameters['features.3.0.block.1.0.weight'] as tf.Variable; // [5, 5, 1, C]
    const { tensors } = await readWeights(await encodeWeights(model));
    const { data, shape } = tensors['features.3.0.block.1.0.weight']!;
    const channels = weight.shape[3] as number;
    expect(shape).toEqual([channels, 1, 5, 5]);
    const values = await weight.data();
    const [channel, row, column] = [7, 3, 1];
    expect(data[channel * 25 + row * 5 + column]).toBe(values[(row * 5 + column) * channels + channel]);
    const copy = efficientnetB0({ width: 0.25, seed: 9 });
    await loadWeights(copy, await encodeWeights(model));
    await expectClose(namedWeights(copy).parameters['features.3.0.block.1.0.weight'] as tf.Variable, weight, {});
  });

  it('refuses other files, and demands that the file does not meet', async () => {
    const bytes = await encodeWeights(efficientnetB0({ width: 0.25, stem: 'small' }));
    await expect(loadEfficientNet(bytes, { stem: 'imagenet' })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadEfficientNet: stem must be that of the file, 'small', got 'imagenet'. Leave the option out, or take another file.]`,
    );
    await expect(
      loadEfficientNet(bytes, { architecture: 'efficientnet_b3' }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadEfficientNet: architecture must be that of the file, 'efficientnet_b0', got 'efficientnet_b3'. Leave the option out, or take another file.]`,
    );
    await expect(loadEfficientNet(await asTorchvision(bytes))).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadEfficientNet: source must hold efficientnet_b0, efficientnet_b1, efficientnet_b2, efficientnet_b3, efficientnet_b4, or say in its metadata what it holds, got a stem of shape [8, 3, 3, 3] and other blocks. Build the network with its width and depth, and use loadWeights.]`,
    );
    const other = { tensors: { 'conv1.weight': floats([2, 3, 3, 3]) }, metadata: {} };
    await expect(loadEfficientNet(other)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadEfficientNet: source must hold an EfficientNet's weights, got conv1.weight. Check the file.]`,
    );
  });
});
