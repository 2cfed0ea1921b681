import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { WeightsFile } from '@tfjs-ssl/layers';
import { describeEngines, expectClose, expectNoLeak, temporaryFolder } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import {
  type ArchitectureName,
  encodeWeights,
  loadEncoder,
  loadWeights,
  readWeights,
  resnet18,
  resnet34,
  resnet50,
  resnet101,
  resnet152,
} from './index.ts';

const makers = { resnet18, resnet34, resnet50, resnet101, resnet152 };
const images = () => tf.randomUniform([2, 16, 16, 3], 0, 1, 'float32', 1);
const features = (model: LayersModel) => model.predict(images()) as tf.Tensor;

/** A file without metadata under other names, as another library writes it. */
async function elsewhere(model: LayersModel, rename: (name: string) => string): Promise<WeightsFile> {
  const { tensors } = await readWeights(await encodeWeights(model));
  const renamed = Object.entries(tensors).map(([name, tensor]) => [rename(name), tensor] as const);
  return { tensors: Object.fromEntries(renamed), metadata: {} };
}

describeEngines('loadEncoder', () => {
  it.each(Object.keys(makers) as ArchitectureName[])('builds %s from its file', async (architecture) => {
    const model = makers[architecture]({ width: 2, stem: 'small', seed: 3 });
    const bytes = await encodeWeights(model);
    const { metadata } = await readWeights(bytes);
    expect(metadata).toMatchObject({ architecture, stem: 'small', width: '2' });
    const encoder = await loadEncoder(bytes);
    expect(encoder.name).toBe(architecture);
    expect(encoder.getUserDefinedMetadata()).toEqual({ architecture, stem: 'small', width: 2 });
    await expectClose(features(encoder), features(model), {});
    encoder.dispose();
    model.dispose();
  });

  it('takes a path, and the channels of the file, and the size and name of the options', async () => {
    const path = join(await temporaryFolder(), 'model.safetensors');
    await writeFile(path, await encodeWeights(resnet18({ width: 2, inputShape: [null, null, 1] })));
    expect((await loadEncoder(path)).inputs[0]?.shape).toEqual([null, null, null, 1]);
    const encoder = await loadEncoder(path, { inputShape: [48, 32, 1], name: 'online' });
    expect([encoder.inputs[0]?.shape, encoder.name]).toEqual([[null, 48, 32, 1], 'online']);
  });

  it('recognises files without metadata, with a classifier and other networks beside, under any prefix', async () => {
    const model = resnet18({ width: 2, seed: 3 });
    const numbers: Record<string, string> = {
      conv1: '0',
      bn1: '1',
      layer1: '4',
      layer2: '5',
      layer3: '6',
      layer4: '7',
    };
    const sequential = (name: string) => name.replace(/^\w+/, (child) => numbers[child] as string);
    for (const rename of [
      (name: string) => name,
      (name: string) => `module.encoder_q.${name}`,
      sequential,
      (name: string) => `backbone.${sequential(name)}`,
    ]) {
      const { tensors } = await elsewhere(model, rename);
      const fc = { dtype: 'F32', shape: [1], data: Float32Array.of(1) } as const;
      const file = {
        tensors: { ...tensors, [rename('bn1.x').replace(/[^.]+\.x$/, 'fc.weight')]: fc, 'head.0.weight': fc },
        metadata: {},
      };
      await expectClose(features(await loadEncoder(file)), features(model), {});
    }
  });

  it('takes the encoder of a prefix where there are several', async () => {
    const [q, k] = [resnet18({ width: 2, seed: 1 }), resnet18({ width: 2, seed: 2 })];
    const bytes = await encodeWeights({ q, k });
    await expect(loadEncoder(bytes)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadEncoder: source must hold a ResNet's weights at one place, got prefixes 'q.', 'k.'. Pass prefix.]`,
    );
    await expect(loadEncoder(bytes, { prefix: 'z.' })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadEncoder: source must hold a ResNet's weights at one place, got prefixes 'q.', 'k.', not 'z.'. Pass prefix.]`,
    );
    await expectClose(features(await loadEncoder(bytes, { prefix: 'k.' })), features(k), {});
  });

  it('refuses another encoder than the options say', async () => {
    const bytes = await encodeWeights(resnet18({ width: 16 }));
    await expect(loadEncoder(bytes, { width: 64 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadEncoder: width must be that of the file, 16, got 64. Leave the option out, or take another file.]`,
    );
    await expect(loadEncoder(bytes, { stem: 'small' })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadEncoder: stem must be that of the file, 'imagenet', got 'small'. Leave the option out, or take another file.]`,
    );
    await expect(loadEncoder(bytes, { architecture: 'resnet50' })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadEncoder: architecture must be that of the file, 'resnet18', got 'resnet50'. Leave the option out, or take another file.]`,
    );
    expect((await loadEncoder(bytes, { width: 16, stem: 'imagenet', architecture: 'resnet18' })).name).toBe('resnet18');
    await expect(loadWeights(resnet18(), bytes)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadWeights: source must fit the model, got differences: width 64 expected, file has 16 (outputs of conv1.weight; 99 more weights differ in that proportion). Check architecture and names.]`,
    );
  });

  it('refuses files of other networks', async () => {
    const tensor = { dtype: 'F32', shape: [4], data: new Float32Array(4) } as const;
    const of = (tensors: WeightsFile['tensors'], metadata = {}) => loadEncoder({ tensors, metadata });
    await expect(of({})).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadEncoder: source must hold a ResNet's weights, got no tensors. Check the file.]`,
    );
    await expect(of({ '0.weight': tensor }, { architecture: 'mlpHead' })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadEncoder: source must hold a ResNet's weights (not the mlpHead that its metadata name), got 0.weight. Check the file.]`,
    );
    const { tensors } = await elsewhere(resnet18({ width: 1 }), (name) => name);
    await expect(of({ ...tensors, 'layer2.2.conv1.weight': tensor })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadEncoder: source must hold resnet18, resnet34, resnet50, resnet101, resnet152, got stages of 2, 3, 2, 2 basic blocks. Build that network by hand.]`,
    );
    await expect(of({ ...tensors, 'conv1.weight': tensor })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadEncoder: source must hold a first convolution with kernels of 7 x 7 or 3 x 3, got conv1.weight of shape [4]. Build that network by hand.]`,
    );
    const { 'bn1.bias': _, ...lacking } = tensors;
    const before = tf.memory().numTensors;
    await expect(of(lacking)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadWeights: source must fit the model, got differences: the file lacks bn1.bias. Check architecture and names, or pass strict: false to load what fits.]`,
    );
    expect(tf.memory().numTensors).toBe(before);
    await expect(loadEncoder('none.safetensors')).rejects.toThrowErrorMatchingInlineSnapshot(
      `[Error: loadEncoder: cannot read none.safetensors: it is not there. Check the path. (ENOENT)]`,
    );
  });

  it('leaves nothing behind but the model', async () => {
    const bytes = await encodeWeights(resnet18({ width: 1 }));
    await expectNoLeak(async () => {
      (await loadEncoder(bytes)).dispose();
    });
  });
});
