import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { decodeSafetensors, encodeSafetensors, type SafeTensor } from '@tfjs-ssl/safetensors';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { batchNorm } from '../batch-norm.ts';
import { conv2d } from '../conv2d.ts';
import { globalAveragePool } from '../global-average-pool.ts';
import { linear } from '../linear.ts';
import { version } from '../version.ts';
import { encodeWeights } from './encode-weights.ts';
import { loadWeights } from './load-weights.ts';
import { type Models, namedWeights } from './named-weights.ts';
import { readWeights } from './read-weights.ts';
import { saveWeights } from './save-weights.ts';

function network(seed = 0, width = 2): tfl.LayersModel {
  const images = tfl.input({ shape: [4, 4, 3] });
  let x = conv2d({ filters: width, kernelSize: 3, seed, useBias: true, name: 'conv1' }).apply(images);
  x = batchNorm({ name: 'bn1' }).apply(x);
  x = globalAveragePool({ name: 'pool' }).apply(x);
  const y = linear({ units: 3, seed, name: 'fc' }).apply(x) as tfl.SymbolicTensor;
  return tfl.model({ inputs: images, outputs: y });
}

/** The tensors of a model's file. */
const onFile = async (model: tfl.LayersModel): Promise<Record<string, SafeTensor>> => ({
  ...decodeSafetensors(await encodeWeights(model)).tensors,
});

const images = () => tf.randomNormal([2, 4, 4, 3], 0, 1, 'float32', 1);
const predict = (model: tfl.LayersModel) => model.predict(images()) as tf.Tensor;

describeEngines('files of weights', () => {
  it("are written in PyTorch's layouts", async () => {
    const model = network();
    const { parameters } = namedWeights(model);
    parameters['conv1.weight']?.assign(tf.reshape(tf.range(0, 54), [3, 3, 3, 2]));
    parameters['fc.weight']?.assign(tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]));
    const tensors = await onFile(model);
    // OIHW at [1, 2, 0, 1] is HWIO at [0, 1, 2, 1]: ((0 * 3 + 1) * 3 + 2) * 2 + 1 = 11.
    const { shape, data } = tensors['conv1.weight'] as SafeTensor;
    expect(shape).toEqual([2, 3, 3, 3]);
    expect(data[((1 * 3 + 2) * 3 + 0) * 3 + 1]).toBe(11);
    expect(tensors['fc.weight']).toEqual({ dtype: 'F32', shape: [3, 2], data: new Float32Array([1, 4, 2, 5, 3, 6]) });
    expect(tensors['bn1.num_batches_tracked']).toEqual({ dtype: 'I64', shape: [], data: new BigInt64Array(1) });
    expect(decodeSafetensors(await encodeWeights(model)).metadata).toEqual({
      format: 'pt',
      writer: `tfjs-ssl ${version}`,
    });
    expect(Object.keys(tensors).sort()).toEqual([
      'bn1.bias',
      'bn1.num_batches_tracked',
      'bn1.running_mean',
      'bn1.running_var',
      'bn1.weight',
      'conv1.bias',
      'conv1.weight',
      'fc.bias',
      'fc.weight',
    ]);
  });

  it('carry everything that a prediction needs, running statistics too', async () => {
    const [a, b] = [network(1), network(2)];
    (a.apply(images(), { training: true }) as tf.Tensor).dispose();
    const result = await loadWeights(b, await encodeWeights(a));
    expect(result.loaded.sort()).toEqual(
      Object.keys(await onFile(a))
        .filter((name) => !name.endsWith('tracked'))
        .sort(),
    );
    expect([result.missing, result.unexpected]).toEqual([[], []]);
    await expectClose(predict(b), predict(a), {});
    expect(await encodeWeights(b)).toEqual(await encodeWeights(a));
  });

  it('may have float64 numbers', async () => {
    const tensors = await onFile(network(1));
    const wide = Object.fromEntries(
      Object.entries(tensors).map(([name, { dtype, shape, data }]): [string, SafeTensor] =>
        dtype === 'F32'
          ? [name, { dtype: 'F64', shape, data: Float64Array.from(data as Float32Array) }]
          : [name, { dtype, shape, data }],
      ),
    );
    const model = network(2);
    await loadWeights(model, encodeSafetensors(wide));
    await expectClose(predict(model), predict(network(1)), {});
  });

  it('may have a prefix', async () => {
    const tensors = Object.entries(await onFile(network(1)));
    const prefixed = tensors.map(([name, tensor]): [string, SafeTensor] => [`module.backbone.${name}`, tensor]);
    const other: [string, SafeTensor] = ['head.weight', { dtype: 'F32', shape: [1], data: new Float32Array(1) }];
    const bytes = encodeSafetensors(Object.fromEntries([...prefixed, other]));
    const model = network(2);
    await loadWeights(model, bytes, { prefix: 'module.backbone.' });
    await expectClose(predict(model), predict(network(1)), {});
  });

  it('may have other names', async () => {
    const tensors = Object.entries(await onFile(network(1)));
    const children: Record<string, string> = { conv1: '0', bn1: '1', fc: '10' };
    const renamed = tensors.map(([name, tensor]) => [name.replace(/^\w+/, (child) => `${children[child]}`), tensor]);
    const bytes = encodeSafetensors(
      Object.fromEntries([...renamed, ['2.weight', { dtype: 'U8', shape: [1], data: new Uint8Array(1) }]]),
    );
    const expected = predict(network(1));
    const names = { '0.': 'conv1.', '1.': 'bn1.', '10.': 'fc.' };
    for (const option of [
      names,
      (name: string) => name.replace(/^\d+/, (at) => Object.entries(children).find(([, n]) => n === at)?.[0] ?? at),
    ]) {
      const model = network(2);
      const { unexpected } = await loadWeights(model, bytes, { names: option, strict: option === names });
      expect(unexpected).toEqual(option === names ? [] : ['2.weight']);
      await expectClose(predict(model), expected, {});
    }
    const without = network(2);
    const leave = (name: string) => (name.startsWith('10.') ? null : name);
    await expect(loadWeights(without, bytes, { names: leave })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadWeights: source must fit the model, got differences: none of the model's names is in the file, which has 1.num_batches_tracked, 0.weight, 0.bias, 1.weight and 6 more. Pass names: { '0.': 'conv1.', '1.': 'bn1.', '10.': 'fc.' }.]`,
    );
    await expect(loadWeights(without, bytes, { names: { '': 'conv1.', '0.': 'conv1.0.' } })).rejects.toThrow(
      /none of the model's names/,
    );
    await expect(
      loadWeights(without, bytes, { names: () => 'conv1.weight' }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadWeights: names must give every weight a name of its own, got 'conv1.weight' for '0.bias' and another weight. Leave one of them out.]`,
    );
    const wrapped = Object.fromEntries(tensors.map(([name, tensor]) => [`module.encoder_q.${name}`, tensor]));
    await expect(loadWeights(without, encodeSafetensors(wrapped))).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadWeights: source must fit the model, got differences: none of the model's names is in the file, which has module.encoder_q.bn1.num_batches_tracked, module.encoder_q.conv1.weight, module.encoder_q.conv1.bias, module.encoder_q.bn1.weight and 5 more. Pass prefix: 'module.encoder_q.' (8 of 8 names).]`,
    );
    await loadWeights(without, encodeSafetensors(wrapped), { prefix: 'module.encoder_q.' });
    await expectClose(predict(without), expected, {});
  });

  it('may have half precision', async () => {
    // 2 conv weights of F16 1.5 and BF16 values, the rest as it is
    const { 'fc.bias': _, ...rest } = await onFile(network(1));
    const bytes = encodeSafetensors({
      ...rest,
      'fc.bias': { dtype: 'U16', shape: [3], data: Uint16Array.of(0x3e00, 0xc000, 0x0001) },
    });
    const header = new TextDecoder('latin1').decode(bytes);
    bytes.set(new TextEncoder().encode('F16'), header.indexOf('U16'));
    const model = network(2);
    await loadWeights(model, bytes);
    await expectClose(model.getLayer('fc').getWeights()[1] as tf.Tensor, [1.5, -2, 2 ** -24], {});
  });

  it('carry what the model says of itself', async () => {
    const model = network();
    model.setUserDefinedMetadata({ architecture: 'tiny', sizes: [2, 3] });
    const of = async (models: Models) => ({ ...decodeSafetensors(await encodeWeights(models)).metadata });
    expect(await of(model)).toEqual({
      format: 'pt',
      writer: `tfjs-ssl ${version}`,
      architecture: 'tiny',
      sizes: '[2,3]',
    });
    expect(await of({ a: model, b: network() })).toEqual({
      format: 'pt',
      writer: `tfjs-ssl ${version}`,
      'a.architecture': 'tiny',
      'a.sizes': '[2,3]',
    });
  });

  it('may lack weights or have more where not strict', async () => {
    const { 'fc.bias': _, ...rest } = await onFile(network(1));
    const more = { ...rest, 'other.weight': { dtype: 'F32', shape: [1], data: new Float32Array(1) } as SafeTensor };
    const model = network(2);
    const bias = await (model.getLayer('fc').getWeights()[1] as tf.Tensor).data();
    const { loaded, missing, unexpected } = await loadWeights(model, encodeSafetensors(more), { strict: false });
    expect([loaded.length, missing, unexpected]).toEqual([7, ['fc.bias'], ['other.weight']]);
    await expectClose(model.getLayer('fc').getWeights()[1] as tf.Tensor, bias, {});
    await expectClose(
      model.getLayer('conv1').getWeights()[0] as tf.Tensor,
      network(1).getLayer('conv1').getWeights()[0] as tf.Tensor,
      {},
    );
  });

  it('are refused where they do not fit, and change nothing then', async () => {
    const model = network(2);
    const before = await encodeWeights(model);
    const { 'fc.bias': _, ...lacking } = await onFile(network(1));
    const extra = {
      ...(await onFile(network(1))),
      'other.weight': { dtype: 'F32', shape: [1], data: new Float32Array(1) } as SafeTensor,
    };
    const integers = {
      ...(await onFile(network(1))),
      'fc.bias': { dtype: 'I32', shape: [3], data: new Int32Array(3) } as SafeTensor,
    };
    const load = (tensors: Record<string, SafeTensor>, options = {}) =>
      loadWeights(model, encodeSafetensors(tensors), options);
    await expect(load(lacking)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadWeights: source must fit the model, got differences: the file lacks fc.bias. Check architecture and names, or pass strict: false to load what fits.]`,
    );
    await expect(load(extra)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadWeights: source must fit the model, got differences: the model lacks other.weight. Check architecture and names, or pass strict: false to load what fits.]`,
    );
    await expect(load(integers)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadWeights: source must fit the model, got differences: fc.bias is F32 [3] in the model and I32 [3] in the file. Check architecture and names.]`,
    );
    await expect(load(await onFile(network(1, 4)), { strict: false })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadWeights: source must fit the model, got differences: width 2 expected, file has 4 (outputs of conv1.weight; 6 more weights differ in that proportion). Check architecture and names.]`,
    );
    await expect(load(await onFile(network(1)), { prefix: 'module.' })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadWeights: source must fit the model, got differences: none of the model's names is in the file, which has bn1.num_batches_tracked, conv1.weight, conv1.bias, bn1.weight and 5 more. Check architecture and names.]`,
    );
    await expect(
      load({ x: extra['other.weight'] as SafeTensor }, { strict: false }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadWeights: source must fit the model, got differences: none of the model's names is in the file, which has x. Check architecture and names.]`,
    );
    await expect(loadWeights(model, before.subarray(0, -1))).rejects.toThrow(/decodeSafetensors: .* damaged/);
    expect(await encodeWeights(model)).toEqual(before);
  });

  it('may hold several models, and give one of them back', async () => {
    const [a, b] = [
      { online: network(1), target: network(2) },
      { online: network(3), target: network(4) },
    ];
    const bytes = await encodeWeights(a);
    expect((await loadWeights(b, bytes)).loaded).toHaveLength(16);
    await expectClose(predict(b.online), predict(a.online), {});
    await expectClose(predict(b.target), predict(a.target), {});
    const alone = network(5);
    await loadWeights(alone, bytes, { prefix: 'target.' });
    await expectClose(predict(alone), predict(a.target), {});
  });

  it('give back all memory', async () => {
    const model = network();
    const bytes = await encodeWeights(model);
    await loadWeights(model, bytes); // moves the variables to this engine, where they are not
    await expectNoLeak(async () => {
      await encodeWeights(model);
    });
    await expectNoLeak(async () => {
      await loadWeights(model, bytes);
    });
  });

  describe('on disk', () => {
    let folder: string;
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'weights-'));
    });
    afterEach(() => rm(folder, { recursive: true }));

    it('hold what encodeWeights gives, replace the old file, and leave nothing else', async () => {
      const path = join(folder, 'model.safetensors');
      await writeFile(path, 'old');
      const model = network(1);
      await expectNoLeak(() => saveWeights(model, path));
      expect(new Uint8Array(await readFile(path))).toEqual(await encodeWeights(model));
      expect(await readdir(folder)).toEqual(['model.safetensors']);
      const copy = network(2);
      await loadWeights(copy, path);
      await expectClose(predict(copy), predict(model), {});
    });

    it('are read in parts, whatever their size', async () => {
      const path = join(folder, 'model.safetensors');
      const bytes = await encodeWeights(network(1));
      await writeFile(path, bytes);
      for (const part of [1, 7, bytes.length - 1, bytes.length, 2 ** 30]) {
        expect(await readWeights(path, { part })).toEqual(decodeSafetensors(bytes));
      }
    });

    it('are named for what they are where they are something else', async () => {
      const path = join(folder, 'model.safetensors');
      await writeFile(
        path,
        `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 46827520\n`,
      );
      const message = (await loadWeights(network(), path).catch((error: Error) => error.message)) as string;
      expect(message.replace(folder, 'FOLDER')).toMatchInlineSnapshot(
        `"loadWeights: FOLDER/model.safetensors must be a safetensors file, got a Git LFS pointer to a file of 46827520 bytes. Fetch the file itself: git lfs pull."`,
      );
      const ofFolder = (await loadWeights(network(), folder).catch((error: Error) => error.message)) as string;
      expect(ofFolder.replace(folder, 'FOLDER')).toMatchInlineSnapshot(
        `"loadWeights: cannot read FOLDER: it is a folder. Move it away or choose another path. (EISDIR)"`,
      );
    });

    it('say what failed, and leave nothing behind', async () => {
      const model = network();
      const here = (error: Error) => error.message.replaceAll(folder, 'FOLDER').replaceAll(String(process.pid), 'PID');
      const missing = await saveWeights(model, join(folder, 'none', 'a')).catch(here);
      expect(missing).toMatchInlineSnapshot(
        `"saveWeights: cannot write FOLDER/none/a: it is not there. Check the path. (ENOENT)"`,
      );
      const onFolder = await saveWeights(model, folder).catch((error: Error) => error.message);
      expect(onFolder).toMatch(/^saveWeights: cannot write .*EISDIR/);
      expect(await readdir(folder)).toEqual([]);
      expect(
        await readdir(join(folder, '..')).then((names) => names.filter((name) => name.startsWith(basename(folder)))),
      ).toEqual([basename(folder)]);
      expect(await loadWeights(model, join(folder, 'none')).catch(here)).toMatchInlineSnapshot(
        `"loadWeights: cannot read FOLDER/none: it is not there. Check the path. (ENOENT)"`,
      );
    });
  });
});
