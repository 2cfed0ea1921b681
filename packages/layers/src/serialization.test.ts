import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describeEngines, expectClose } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { batchNorm } from './batch-norm.ts';
import { conv2d } from './conv2d.ts';
import { depthwiseConv2d } from './depthwise-conv2d.ts';
import { globalAveragePool } from './global-average-pool.ts';
import { linear } from './linear.ts';
import { maxPool2d } from './max-pool2d.ts';
import { squeezeExcite } from './squeeze-excite.ts';
import { stochasticDepth } from './stochastic-depth.ts';
import { encodeWeights } from './weights/encode-weights.ts';

/** Every layer of the package, with a shortcut around the first ones, and stock layers in between. */
function network(): tfl.LayersModel {
  const images = tfl.input({ shape: [8, 8, 3], name: 'images' });
  let x: ReturnType<tfl.layers.Layer['apply']> = conv2d({
    filters: 3,
    kernelSize: 3,
    padding: 1,
    seed: 'a Text_with CASE',
    name: 'layer1.0.conv1',
  }).apply(images);
  x = batchNorm({ relu: true, momentum: 0.3, epsilon: 1e-3, name: 'layer1.0.bn1' }).apply([
    x,
    images,
  ] as tfl.SymbolicTensor[]);
  x = maxPool2d({ poolSize: 3, strides: 2, padding: 1, name: 'maxpool' }).apply(x);
  x = tfl.layers.dropout({ rate: 0.5, seed: 1 }).apply(x);
  const branch = depthwiseConv2d({ kernelSize: 3, padding: 1, name: 'layer2.0.conv1' }).apply(x) as tfl.SymbolicTensor;
  const gated = squeezeExcite({ squeezed: 2, name: 'layer2.0.gate' }).apply(branch) as tfl.SymbolicTensor;
  const normal = batchNorm({ silu: true, name: 'layer2.0.bn1' }).apply(gated) as tfl.SymbolicTensor;
  x = stochasticDepth({ probability: 0, index: 0 }).apply([normal, x as tfl.SymbolicTensor]);
  x = globalAveragePool({ name: 'avgpool' }).apply(x);
  x = linear({ units: 4, seed: 3, name: 'fc' }).apply(x);
  const kernelInitializer = tfl.initializers.glorotUniform({ seed: 2 });
  x = tfl.layers.dense({ units: 2, kernelInitializer }).apply(x);
  return tfl.model({ inputs: images, outputs: x as tfl.SymbolicTensor });
}

/** A model after `save` and `loadLayersModel`. */
async function saveAndLoad(model: tfl.LayersModel): Promise<tfl.LayersModel> {
  let artifacts: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (saved) => {
      artifacts = saved;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  return tfl.loadLayersModel(tf.io.fromMemory(artifacts as tf.io.ModelArtifacts));
}

describeEngines('saved models', () => {
  it('come back with structure, weights and running statistics', async () => {
    const model = network();
    const x = tf.randomNormal([4, 8, 8, 3], 1, 2, 'float32', 1);
    (model.apply(x, { training: true }) as tf.Tensor).dispose();
    const loaded = await saveAndLoad(model);
    await expectClose(loaded.predict(x) as tf.Tensor, model.predict(x) as tf.Tensor, {});
    expect((await encodeWeights(loaded)).length).toBe((await encodeWeights(model)).length);
    for (const layer of model.layers.filter((each) => each.getClassName().startsWith('Torch'))) {
      expect(loaded.getLayer(layer.name).getConfig()).toEqual(layer.getConfig());
    }
  });

  it('come back once more, and train', async () => {
    const loaded = await saveAndLoad(await saveAndLoad(network()));
    const before = (await (loaded.getLayer('layer1.0.bn1').getWeights()[2] as tf.Tensor).data()).slice();
    (loaded.apply(tf.randomNormal([4, 8, 8, 3], 3), { training: true }) as tf.Tensor).dispose();
    const after = await (loaded.getLayer('layer1.0.bn1').getWeights()[2] as tf.Tensor).data();
    expect([...after]).not.toEqual([...before]);
  });

  it('work with compile and fit', async () => {
    const model = network();
    model.compile({ optimizer: tf.train.sgd(0.01), loss: 'meanSquaredError' });
    const [x, y] = [tf.randomNormal([8, 8, 8, 3], 0, 1, 'float32', 1), tf.ones([8, 2])];
    const { history } = await model.fit(x, y, { epochs: 5, batchSize: 4, shuffle: false, verbose: 0 });
    const losses = history.loss as number[];
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(losses.at(-1)).toBeLessThan(losses[0] as number);
  });
});
