import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import { startEngine } from '@tfjs-ssl/engine';
import { batchNorm, conv2d, globalAveragePool, maxPool2d } from '@tfjs-ssl/layers';
import { ntXent } from '@tfjs-ssl/losses';
import { encodeWeights, namedWeights, resnet18, resnet34, resnet50 } from '@tfjs-ssl/resnet';
import { decodeSafetensors } from '@tfjs-ssl/safetensors';
import { disposeVariables, expectNoLeak } from '@tfjs-ssl/testing';
import { describe, expect, it } from 'vitest';
import { type DigestExpectation, expectDigests } from './digest.ts';
import { fillUnit, fillValue, fnv1a } from './fill.ts';
import { followedGradients, type Gradients, isOfGradients } from './followed-gradients.ts';
import {
  describeGolden,
  type Expectation,
  expectGolden,
  type GoldenCase,
  type GoldenGroup,
  readGroup,
  type Treatment,
  withoutAllowance,
} from './harness.ts';
import {
  type GoldenNetwork,
  goldenNetwork,
  rectifiers,
  stageLayers,
  tapLayer,
  torchShape,
  torchValues,
} from './network.ts';

type Values = ArrayLike<number>;
type Named = Record<string, Values>;
type NamedTensors = Record<string, tf.Tensor>;

/** All results of a case by the names under which the files expect them. */
interface NetworkResults {
  readonly values: Named;
  readonly digests: Record<string, Named>;
  readonly runningStatistics: Named;
  readonly parameterGradients: Named;
  /** What came out of each rectifier in training. */
  readonly rectified: Named;
}

const read = (tensor: tf.Tensor): Promise<Values> => tensor.data();

/** Reads named tensors, all at once. */
async function readAll(tensors: NamedTensors, reader: (tensor: tf.Tensor) => Promise<Values> = read): Promise<Named> {
  const entries = Object.entries(tensors).map(async ([name, tensor]) => [name, await reader(tensor)] as const);
  return Object.fromEntries(await Promise.all(entries));
}

function readTensor(group: GoldenGroup, name: string): tf.Tensor {
  const { data, shape } = group.tensor(name);
  return tf.tensor(Float32Array.from(data), shape);
}

/** Runs encoder and head, each stage's output through `tap`, each rectifier's past `see`. */
function forward(
  { encoder, head }: GoldenNetwork,
  images: tf.Tensor,
  training: boolean,
  tap: (stage: string, output: tf.Tensor) => tf.Tensor,
  see: (rectifier: string, output: tf.Tensor) => void = () => {},
): tf.Tensor2D {
  const seen = [...rectifiers({ encoder, head })].map(([name, layer]) =>
    tapLayer(layer, (output) => {
      see(name, output);
      return output;
    }),
  );
  const tapped = [...stageLayers(encoder)].map(([stage, layer]) => tapLayer(layer, (output) => tap(stage, output)));
  const untap = [...seen, ...tapped];
  const z = head.apply(encoder.apply(images, { training }) as tf.Tensor, { training }) as tf.Tensor2D;
  for (const end of untap.reverse()) end();
  return z;
}

/** What a case computes, still on the engine: its reader disposes it. */
function networkTensors(network: GoldenNetwork, images: tf.Tensor, temperature: number) {
  const [evaluated, trained, rectified]: [NamedTensors, NamedTensors, NamedTensors] = [{}, {}, {}];
  const shapes = new Map<string, number[]>();
  const evaluatedZ = forward(network, images, false, (stage, output) => {
    evaluated[stage] = tf.keep(tf.clone(output)); // the model disposes its own
    shapes.set(stage, output.shape);
    return output;
  });

  // Zeros are added to every stage, since their gradients are the stage's own.
  const zeros = new Map([...shapes].map(([stage, shape]) => [stage, tf.zeros(shape)]));
  let trainedZ: tf.Tensor | undefined;
  const { value: loss, grads } = tf.valueAndGrads(() => {
    const tap = (stage: string, output: tf.Tensor) => {
      trained[stage] = tf.keep(tf.clone(output));
      return tf.add(output, zeros.get(stage) as tf.Tensor);
    };
    const z = forward(network, images, true, tap, (name, output) => {
      rectified[name] = tf.keep(tf.clone(output));
    });
    trainedZ = tf.keep(z);
    return ntXent(z, { temperature });
  })([...Object.values(network.parameters), ...zeros.values()]);
  const names = Object.keys(network.parameters);
  return {
    evaluated,
    trained,
    rectified,
    scalarsAndOutputs: {
      eval_z: evaluatedZ,
      train_z: trainedZ as tf.Tensor,
      loss,
      eval_z_after_one_training_forward: forward(network, images, false, (_, output) => output),
    },
    parameterGradients: Object.fromEntries(names.map((name, i) => [name, grads[i] as tf.Tensor])),
    stageGradients: Object.fromEntries(
      [...zeros.keys()].map((name, i) => [name, grads[names.length + i] as tf.Tensor]),
    ),
  };
}

async function networkResults(network: GoldenNetwork, images: tf.Tensor, temperature: number): Promise<NetworkResults> {
  const tensors = tf.tidy(() => networkTensors(network, images, temperature));
  const [evaluated, trained] = [await readAll(tensors.evaluated), await readAll(tensors.trained)];
  const parameterGradients = await readAll(tensors.parameterGradients, torchValues);
  const results = {
    values: {
      ...(await readAll(tensors.scalarsAndOutputs)),
      eval_features: evaluated.features as Values,
      train_features: trained.features as Values,
    },
    digests: {
      parameter_gradients: parameterGradients,
      eval_stage_digests: evaluated,
      train_stage_digests: trained,
      train_stage_gradient_digests: await readAll(tensors.stageGradients),
    },
    runningStatistics: await readAll(network.buffers),
    parameterGradients,
    rectified: await readAll(tensors.rectified),
  };
  tf.dispose(tensors);
  return results;
}

async function networkCase(golden: GoldenCase, group: GoldenGroup): Promise<void> {
  expect([golden.params.momentum, golden.params.eps], 'batch-norm constants').toEqual([0.1, 1e-5]);
  const network = await goldenNetwork(golden.params);
  const count = Object.values(network.parameters).reduce((sum, { size }) => sum + size, 0);
  expect(count, 'number of parameters').toBe(golden.params.parameters);

  const pixels = group.tensor(golden.inputs.images_u8);
  const images = tf.tensor(
    Float32Array.from(pixels.data, (value) => value / 255),
    pixels.shape,
  );
  let results: NetworkResults | undefined;
  await expectNoLeak(async () => {
    results = await networkResults(network, images, golden.params.tau);
  });
  const got = results as unknown as NetworkResults;
  const expected = golden.expected as Record<string, Expectation | DigestExpectation>;
  const [ofGradients, others] = [true, false].map((wanted) =>
    Object.keys(expected).filter((name) => isOfGradients(name) === wanted),
  ) as [string[], string[]];
  for (const name of others) expectResult(golden, group, got, name);
  const expectGradients = (reference: GoldenGroup, of: Gradients): void => {
    const digests = { parameter_gradients: of.parameters, train_stage_gradient_digests: of.stages };
    withoutAllowance(() => {
      for (const name of ofGradients) {
        expectResult(golden, reference, { ...got, digests, parameterGradients: of.parameters }, name);
      }
    });
  };
  const { digests, parameterGradients: parameters } = got;
  const gradients: Gradients = { parameters, stages: digests.train_stage_gradient_digests as Named };
  try {
    expectGradients(group, gradients);
  } catch (error) {
    const followed = await followedGradients(golden, group, network, got.rectified, expectGradients);
    if (!followed) throw error;
    expectGradients(followed, gradients);
  }
}

/** Asserts one of the results that a case expects. */
function expectResult(golden: GoldenCase, group: GoldenGroup, results: NetworkResults, name: string): void {
  const { values, digests, runningStatistics, parameterGradients } = results;
  const expected: Expectation | DigestExpectation = golden.expected[name];
  if ('rule' in expected) {
    const got = digests[name] ?? expect.fail(`no test knows the expected '${name}'`);
    expect(Object.keys(got).sort(), name).toEqual(expected.rows.map((row) => row.name).sort());
    expectDigests(group, name, got, expected);
  } else if (name === 'running_stats_after_one_training_forward') {
    const ofBuffers = expected as unknown as Record<string, Expectation>;
    expect(Object.keys(runningStatistics).sort()).toEqual(Object.keys(ofBuffers).sort());
    for (const [buffer, expectation] of Object.entries(ofBuffers)) {
      expectGolden(group, `${name}: ${buffer}`, runningStatistics[buffer] as Values, expectation);
    }
  } else {
    const got = values[name] ?? parameterGradients[name.replace(/^full_gradient:/, '')];
    if (got === undefined) expect.fail(`no test knows the expected '${name}'`);
    expectGolden(group, name, got, expected);
  }
}

/** Results of a layer and its gradients against the cotangent, by the files' names. */
async function layerCase(golden: GoldenCase, group: GoldenGroup, layer: layers.Layer): Promise<void> {
  const { y, dx, dw } = tf.tidy(() => {
    const x = readTensor(group, golden.inputs.x);
    const cotangent = readTensor(group, golden.inputs.cotangent);
    layer.build(x.shape);
    const weights = layer.weights.map((weight) => weight.read());
    if (golden.inputs.w) layer.setWeights([tf.transpose(readTensor(group, golden.inputs.w), [2, 3, 1, 0])]);
    const y = layer.apply(x) as tf.Tensor;
    expect(layer.computeOutputShape(x.shape), 'computed shape').toEqual(y.shape);
    const [dx, dw] = tf.grads((xs) => tf.sum(tf.mul(layer.apply(xs as tf.Tensor) as tf.Tensor, cotangent)))([
      x,
      ...weights,
    ]);
    return { y, dx: dx as tf.Tensor, dw };
  });
  const got: Named = { ...(await readAll({ y, dx })), ...(dw && { dw: await torchValues(dw) }) };
  expectAll(golden, group, got);
  tf.dispose([y, dx, dw]);
}

/** Two training calls with gradients, then an evaluating one of the first batch. */
async function batchNormCase(golden: GoldenCase, group: GoldenGroup): Promise<void> {
  const layer = batchNorm({ epsilon: golden.params.eps, momentum: golden.params.momentum });
  const batches = (golden.inputs.x as string[]).map((name) => readTensor(group, name));
  layer.build((batches[0] as tf.Tensor).shape);
  layer.setWeights(
    ['weight', 'bias', 'running_mean', 'running_var'].map((name) => readTensor(group, golden.inputs[name])),
  );
  const [weight, bias, mean, variance] = layer.weights.map((each) => each.read()) as [
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
    tf.Tensor,
  ];
  const got: Named = {};
  for (const [i, x] of batches.entries()) {
    const cotangent = readTensor(group, golden.inputs.cotangent[i]);
    let y: tf.Tensor | undefined;
    const [dx, dweight, dbias] = tf.grads((xs) => {
      y = tf.keep(layer.apply(xs as tf.Tensor, { training: true }) as tf.Tensor);
      return tf.sum(tf.mul(y, cotangent));
    })([x, weight, bias]) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const tensors = { y: y as unknown as tf.Tensor, dx, dweight, dbias, running_mean: mean, running_var: variance };
    for (const [name, values] of Object.entries(await readAll(tensors))) got[name + i] = values;
    tf.dispose([cotangent, tensors.y, dx, dweight, dbias]);
  }
  Object.assign(got, await readAll({ y_eval: layer.apply(batches[0] as tf.Tensor) as tf.Tensor }));
  expectAll(golden, group, got);
  tf.dispose(batches);
}

function expectAll(golden: GoldenCase, group: GoldenGroup, got: Named): void {
  for (const [name, expectation] of Object.entries(golden.expected as Record<string, Expectation>)) {
    expectGolden(group, name, got[name] ?? expect.fail(`no test knows the expected '${name}'`), expectation);
  }
}

function treat(golden: GoldenCase): Treatment | undefined {
  const { kernel, stride, padding } = golden.params;
  const run = (layer: (group: GoldenGroup) => layers.Layer): Treatment => ({
    run: (group) => layerCase(golden, group, layer(group)),
  });
  switch (golden.op) {
    case 'network':
      return { run: (group) => networkCase(golden, group) };
    case 'conv2d':
      return run((group) => {
        const [filters, , kernelSize] = group.tensor(golden.inputs.w).shape as [number, number, number];
        expect(kernelSize).toBe(kernel);
        return conv2d({ filters, kernelSize, strides: stride, padding });
      });
    case 'maxpool':
      return run(() => maxPool2d({ poolSize: kernel, strides: stride, padding }));
    case 'avgpool':
      return run(() => globalAveragePool());
    case 'batchnorm':
      return { run: (group) => batchNormCase(golden, group) };
    default:
      return undefined;
  }
}

await describeGolden('resnet', treat);

const group = readGroup('resnet');
if (group) {
  describe('golden resnet: formula weights', () => {
    for (const vector of group.doc.fill_test_vectors) {
      it(`${vector.key} [${vector.shape}], ${vector.bn_variant}`, () => {
        expect(fnv1a(`${vector.salt}:${vector.key}`)).toBe(vector.hash);
        expect([...fillUnit(vector.salt, vector.key, 4)]).toEqual(vector.unit_first4);
        const fanIn = /^fc\..*bias$/.test(vector.key) ? fanInOf(vector) : undefined;
        const values = fillValue(vector.salt, vector.key, vector.shape, vector.bn_variant, fanIn);
        expect([...values.subarray(0, 8)]).toEqual(vector.value_first8);
        expect(createHash('sha256').update(values).digest('hex')).toBe(vector.sha256_of_f32_le);
      });
    }
    const fanInOf = (bias: { key: string }): number =>
      group.doc.fill_test_vectors.find((other: { key: string }) => other.key === bias.key.replace('bias', 'weight'))
        .shape[1];
  });

  describe('golden resnet: state dicts', () => {
    const architectures = { resnet18, resnet34, resnet50 };
    it.each(Object.entries(architectures))('%s', async (name, architecture) => {
      await startEngine('cpu');
      const expected = group.doc.state_dicts[name];
      const model = architecture();
      const { parameters, buffers } = namedWeights(model);
      const list: Array<[string, number[]]> = expected.state_dict;
      const ofEncoder = list.filter(([key]) => !key.startsWith('fc.'));
      const isBuffer = (key: string): boolean => /\.(running_mean|running_var|num_batches_tracked)$/.test(key);
      const named = (variables: Record<string, tf.Variable>) =>
        Object.entries(variables).map(([key, variable]) => [key, torchShape(variable)]);
      expect(named(parameters)).toEqual(ofEncoder.filter(([key]) => !isBuffer(key)));
      expect(named(buffers)).toEqual(
        ofEncoder.filter(([key]) => isBuffer(key) && !key.endsWith('num_batches_tracked')),
      );

      const count = Object.values(parameters).reduce((sum, { size }) => sum + size, 0);
      expect(count).toBe(expected.parameters_without_fc);
      expect(model.outputs[0]?.shape).toEqual([null, expected.feature_dim]);
      const { tensors } = decodeSafetensors(await encodeWeights(model));
      const onFile = Object.entries(tensors).map(([key, { shape }]) => [key, shape]);
      expect(onFile.sort()).toEqual([...ofEncoder].sort());
      disposeVariables();
    });
  });
}
