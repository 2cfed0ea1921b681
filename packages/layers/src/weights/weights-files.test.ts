import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { decodeSafetensors, encodeSafetensors, type SafeTensor } from '@tfjs-ssl/safetensors';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { batchNorm } from '../batch-norm.ts';
import { conv2d } from '../conv2d.ts';
import { globalAveragePool } from '../global-average-pool.ts';
import { linear } from '../linear.ts';
import { encodeWeights } from './encode-weights.ts';
import { loadWeights } from './load-weights.ts';
import { namedWeights } from './named-weights.ts';
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
    expect(decodeSafetensors(await encodeWeights(model)).metadata).toEqual({ format: 'pt' });
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
      `[RangeError: loadWeights: the file must fit the model, got differences: the file lacks fc.bias. Check architecture and prefix, or pass strict: false to load what fits.]`,
    );
    await expect(load(extra)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadWeights: the file must fit the model, got differences: the model lacks other.weight. Check architecture and prefix, or pass strict: false to load what fits.]`,
    );
    await expect(load(integers)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadWeights: the file must fit the model, got differences: fc.bias is F32 [3] in the model and I32 [3] in the file. Check architecture and prefix.]`,
    );
    await expect(load(await onFile(network(1, 4)), { strict: false })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadWeights: the file must fit the model, got differences: conv1.weight is F32 [2,3,3,3] in the model and F32 [4,3,3,3] in the file, conv1.bias is F32 [2] in the model and F32 [4] in the file, bn1.weight is F32 [2] in the model and F32 [4] in the file, bn1.bias is F32 [2] in the model and F32 [4] in the file, fc.weight is F32 [3,2] in the model and F32 [3,4] in the file, bn1.running_mean is F32 [2] in the model and F32 [4] in the file, bn1.running_var is F32 [2] in the model and F32 [4] in the file. Check architecture and prefix.]`,
    );
    await expect(load(await onFile(network(1)), { prefix: 'module.' })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadWeights: the file must fit the model, got differences: no weight of the file has a name that starts with 'module.'; the file lacks conv1.weight, conv1.bias, bn1.weight, bn1.bias, fc.weight, fc.bias, bn1.running_mean, bn1.running_var. Check architecture and prefix.]`,
    );
    await expect(
      load({ x: extra['other.weight'] as SafeTensor }, { strict: false }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: loadWeights: the file must fit the model, got differences: no name of the file is one of the model's; it has x. Check architecture and prefix.]`,
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

    it('say what failed, and leave nothing behind', async () => {
      const model = network();
      const here = (error: Error) => error.message.replaceAll(folder, 'FOLDER').replaceAll(String(process.pid), 'PID');
      const missing = await saveWeights(model, join(folder, 'none', 'a')).catch(here);
      expect(missing).toMatchInlineSnapshot(
        `"saveWeights: cannot write FOLDER/none/a: ENOENT: no such file or directory, open 'FOLDER/none/a.PID.tmp'. Nothing was changed there."`,
      );
      const onFolder = await saveWeights(model, folder).catch((error: Error) => error.message);
      expect(onFolder).toMatch(/^saveWeights: cannot write .*EISDIR/);
      expect(await readdir(folder)).toEqual([]);
      expect(await readdir(join(folder, '..')).then((names) => names.filter((name) => name.endsWith('.tmp')))).toEqual(
        [],
      );
      expect(await loadWeights(model, join(folder, 'none')).catch(here)).toMatchInlineSnapshot(
        `"loadWeights: cannot read FOLDER/none: ENOENT: no such file or directory, open 'FOLDER/none'. Check the path."`,
      );
    });
  });
});
