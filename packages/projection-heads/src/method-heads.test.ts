import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import * as tfl from '@tensorflow/tfjs-layers';
import { copyOf } from '@tfjs-ssl/layers';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import {
  barlowTwinsHead,
  byolHead,
  byolPredictor,
  dinoHead,
  encodeWeights,
  loadHead,
  mocoHead,
  namedWeights,
  simsiamHead,
  simsiamPredictor,
  swavHead,
  swavPrototypes,
  unitPrototypes,
  vicRegHead,
} from './index.ts';

/** Names and shapes of all weights, in the layout of this library. */
const weightsOf = (model: LayersModel) => {
  const { parameters, buffers } = namedWeights(model);
  return Object.entries({ ...parameters, ...buffers })
    .filter(([name]) => !name.includes('running_var'))
    .map(([name, { shape }]) => `${name} [${shape}]`)
    .join(' ');
};

/** After `save` and `loadLayersModel`. */
async function savedAndLoaded(model: tfl.LayersModel): Promise<tfl.LayersModel> {
  let artifacts: tf.io.ModelArtifacts | undefined;
  const handler = tf.io.withSaveHandler(async (saved) => {
    artifacts = saved;
    return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
  });
  await model.save(handler);
  return tfl.loadLayersModel(tf.io.fromMemory(artifacts as tf.io.ModelArtifacts));
}

const small = { hiddenSize: 5, outputSize: 3, inputSize: 4 };
const makers = {
  byolHead: () => byolHead(small),
  byolPredictor: () => byolPredictor({ inputSize: 4, hiddenSize: 5 }),
  simsiamHead: () => simsiamHead(small),
  simsiamPredictor: () => simsiamPredictor({ inputSize: 4, hiddenSize: 2 }),
  mocoHead: () => mocoHead(small),
  barlowTwinsHead: () => barlowTwinsHead(small),
  vicRegHead: () => vicRegHead(small),
  swavHead: () => swavHead(small),
  swavPrototypes: () => swavPrototypes({ inputSize: 4, prototypes: 6 }),
  dinoHead: () => dinoHead({ ...small, bottleneckSize: 2 }),
  'dinoHead with batch norm': () => dinoHead({ ...small, bottleneckSize: 2, batchNorm: true, learnLengths: true }),
};

describeEngines('heads of methods', () => {
  it('have the weights that they are known for', () => {
    const seen = Object.entries(makers).map(([name, make]) => `${name}: ${weightsOf(make())}`);
    expect(seen).toMatchInlineSnapshot(`
      [
        "byolHead: 0.weight [4,5] 1.weight [5] 1.bias [5] 3.weight [5,3] 3.bias [3] 1.running_mean [5]",
        "byolPredictor: 0.weight [4,5] 1.weight [5] 1.bias [5] 3.weight [5,4] 3.bias [4] 1.running_mean [5]",
        "simsiamHead: 0.weight [4,5] 1.weight [5] 1.bias [5] 3.weight [5,5] 4.weight [5] 4.bias [5] 6.weight [5,3] 1.running_mean [5] 4.running_mean [5] 7.running_mean [3]",
        "simsiamPredictor: 0.weight [4,2] 1.weight [2] 1.bias [2] 3.weight [2,4] 3.bias [4] 1.running_mean [2]",
        "mocoHead: 0.weight [4,5] 0.bias [5] 2.weight [5,3] 2.bias [3]",
        "barlowTwinsHead: 0.weight [4,5] 1.weight [5] 1.bias [5] 3.weight [5,5] 4.weight [5] 4.bias [5] 6.weight [5,3] 1.running_mean [5] 4.running_mean [5]",
        "vicRegHead: 0.weight [4,5] 1.weight [5] 1.bias [5] 3.weight [5,5] 4.weight [5] 4.bias [5] 6.weight [5,3] 1.running_mean [5] 4.running_mean [5]",
        "swavHead: 0.weight [4,5] 1.weight [5] 1.bias [5] 3.weight [5,3] 3.bias [3] 1.running_mean [5]",
        "swavPrototypes: prototypes.weight [4,6]",
        "dinoHead: mlp.0.weight [4,5] mlp.0.bias [5] mlp.2.weight [5,5] mlp.2.bias [5] mlp.4.weight [5,2] mlp.4.bias [2] last_layer.weight_v [3,2] last_layer.weight_g [3,1]",
        "dinoHead with batch norm: mlp.0.weight [4,5] mlp.0.bias [5] mlp.1.weight [5] mlp.1.bias [5] mlp.3.weight [5,5] mlp.3.bias [5] mlp.4.weight [5] mlp.4.bias [5] mlp.6.weight [5,2] mlp.6.bias [2] last_layer.weight_g [3,1] last_layer.weight_v [3,2] mlp.1.running_mean [5] mlp.4.running_mean [5]",
      ]
    `);
  });

  it("take the papers' sizes where none are given", () => {
    const widths = (model: LayersModel, ...layers: string[]) =>
      layers.map((name) => model.getLayer(name).outputShape[1]);
    const inputSize = 4; // the papers' follows the encoder
    expect(widths(byolHead({ inputSize }), '0', '3')).toEqual([4096, 256]);
    expect(widths(byolPredictor({ inputSize }), '0', '3')).toEqual([4096, 4]);
    expect(byolPredictor({ hiddenSize: 4 }).inputs[0]?.shape).toEqual([null, 256]);
    expect(widths(simsiamHead({ inputSize, outputSize: 4 }), '0', '3')).toEqual([2048, 2048]);
    expect(widths(simsiamHead({ inputSize, hiddenSize: 4 }), '6')).toEqual([2048]);
    expect(widths(simsiamPredictor({ inputSize }), '0', '3')).toEqual([512, 4]);
    expect(simsiamPredictor({ hiddenSize: 4 }).inputs[0]?.shape).toEqual([null, 2048]);
    expect(widths(mocoHead({ inputSize }), '0', '2')).toEqual([2048, 128]);
    expect(widths(swavHead({ inputSize }), '0', '3')).toEqual([2048, 128]);
    expect(swavPrototypes().getLayer('prototypes').outputShape).toEqual([null, 3000]);
    for (const make of [barlowTwinsHead, vicRegHead]) {
      expect(widths(make({ inputSize, hiddenSize: 4 }), '6')).toEqual([8192]);
      expect(make({ inputSize: 1, outputSize: 1, hiddenSize: 4 }).getLayer('3').outputShape).toEqual([null, 4]);
    }
    const dino = dinoHead({ inputSize, outputSize: 10 });
    expect(widths(dino, 'mlp.0', 'mlp.2', 'mlp.4', 'last_layer')).toEqual([2048, 2048, 256, 10]);
    expect(widths(dinoHead({ inputSize, hiddenSize: 4, bottleneckSize: 4 }), 'last_layer')).toEqual([65536]);
  });

  it.each(Object.entries(makers))('%s comes back from its file, from a saved model and as a copy', async (_, make) => {
    const head = make();
    const x = tf.randomNormal([8, 4], 1, 2, 'float32', 3);
    head.apply(x, { training: true }); // moves running statistics where there are any
    const expected = await head.predict(x).data();
    const loaded = [await loadHead(await encodeWeights(head)), await savedAndLoaded(head), copyOf(head)];
    for (const model of loaded) {
      expect(await (model.predict(x) as tf.Tensor).data()).toEqual(expected);
      expect(weightsOf(model)).toBe(weightsOf(head));
      expect(Object.keys(namedWeights(model).parameters)).toEqual(Object.keys(namedWeights(head).parameters));
    }
  });

  it('are found in a file of several', async () => {
    const [encoder, head, prototypes] = [
      mocoHead(small),
      swavHead(small),
      swavPrototypes({ inputSize: 3, prototypes: 6 }),
    ];
    const both = await encodeWeights({ head, prototypes });
    expect((await loadHead(both, { prefix: 'prototypes.' })).outputs[0]?.shape).toEqual([null, 6]);
    expect((await loadHead(both, { prefix: 'head.' })).outputs[0]?.shape).toEqual([null, 3]);
    await expect(loadHead(both)).rejects.toThrow(/at one place, got prefixes 'head.', 'prototypes.'/);
    const dino = await encodeWeights({ encoder, dino: dinoHead({ ...small, bottleneckSize: 2 }) });
    expect((await loadHead(dino, { prefix: 'dino.' })).getLayer('last_layer').outputShape).toEqual([null, 3]);
  });

  it('give back all memory', async () => {
    await expectNoLeak(() => {
      for (const make of Object.values(makers)) make().dispose();
    });
  });

  it('refuse sizes that are none', () => {
    expect(() => byolHead({ hiddenSize: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: mlpHead: hiddenSizes[0] must be an integer of at least 1, got 0. It is a number of features.]`,
    );
    expect(() => dinoHead({ bottleneckSize: 1.5 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: dinoHead: bottleneckSize must be an integer of at least 1, got 1.5. It is a number of features.]`,
    );
    expect(() => swavPrototypes({ prototypes: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: swavPrototypes: prototypes must be an integer of at least 1, got 0. Sizes are whole numbers.]`,
    );
    expect(() => unitPrototypes(mocoHead(small))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: unitPrototypes: prototypes must have the weight prototypes.weight, got [0.weight, 0.bias, 2.weight, 2.bias]. Pass a model of swavPrototypes.]`,
    );
  });
});

describeEngines('prototypes', () => {
  it('are of unit length at the start and after an update, and give cosines', async () => {
    const prototypes = swavPrototypes({ inputSize: 3, prototypes: 2 });
    const weight = namedWeights(prototypes).parameters['prototypes.weight'] as tf.Variable;
    await expectClose(tf.sum(tf.square(weight), 0), [1, 1], { atol: 1e-6 });
    weight.assign(tf.tensor2d([3, 0, 4, 0, 0, 5], [3, 2])); // columns (3, 4, 0) and (0, 0, 5)
    unitPrototypes(prototypes).update();
    await expectClose(weight, [0.6, 0, 0.8, 0, 0, 1], { atol: 1e-6 });
    await expectClose(prototypes.predict(tf.tensor2d([[30, 40, 0]])), [1, 0], { atol: 1e-6 });
  });
});
