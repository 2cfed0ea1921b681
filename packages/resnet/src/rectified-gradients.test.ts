import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describeEngines } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { type Choices, float64ResNet } from '../test-support/float64-resnet.ts';
import { images, type Parameters } from '../test-support/float64-tape.ts';
import { farthest, followChoices, ownChoices, ROUNDING, tellFlips } from '../test-support/followed-choices.ts';
import { namedWeights, resnet18, resnet34 } from './index.ts';

const architectures = { resnet18, resnet34 };
const shape: [number, number, number, number] = [8, 48, 48, 3];

const norm = (values: ArrayLike<number>): number => Math.sqrt(Array.from(values).reduce((sum, v) => sum + v * v, 0));

/** |a - b| / |b|. */
const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  norm(Array.from(a, (value, i) => value - (b[i] as number))) / norm(b);

const read = async (tensor: tf.Tensor): Promise<Float32Array> => (await tensor.data()) as Float32Array;

/** What an engine computes for a seed: features, gradients by name, and outputs of rectifiers by layer. */
async function onEngine(name: keyof typeof architectures, seed: number) {
  const encoder = architectures[name]({ width: 16, seed });
  const { parameters } = namedWeights(encoder);
  const rectifiers = encoder.layers.map((layer) => layer.name).filter((layer) => /(^|\.)bn\d$/.test(layer));
  const outputs = [...rectifiers.map((layer) => encoder.getLayer(layer).output), ...encoder.outputs];
  const tapped = tfl.model({ inputs: encoder.inputs, outputs: outputs as tfl.SymbolicTensor[] });
  const random = (i: number): number => Math.abs(Math.sin((12.9898 + seed) * (i + 1) + 78.233) * 43758.5453) % 1;
  const pixels = Float32Array.from({ length: shape.reduce((product, length) => product * length) }, (_, i) =>
    random(i),
  );
  const cotangent = Float32Array.from({ length: shape[0] * 128 }, (_, i) => Math.sin(7.1 * (i + 1) + seed));

  let results: tf.Tensor[] = [];
  const { value, grads } = tf.variableGrads(() => {
    results = (tapped.apply(tf.tensor4d(pixels, shape), { training: true }) as tf.Tensor[]).map((t) => tf.keep(t));
    return tf.sum(tf.mul(results.at(-1) as tf.Tensor, tf.tensor2d(cotangent, [shape[0], 128])));
  }, Object.values(parameters));
  const values = await Promise.all(results.map(read));
  const gradients: Record<string, Float32Array> = {};
  const inFloat64: Record<string, Parameters[string]> = {};
  for (const [key, variable] of Object.entries(parameters)) {
    gradients[key] = await read(grads[variable.name] as tf.Tensor);
    inFloat64[key] = { data: Float64Array.from(await read(variable)), gradient: new Float64Array(variable.size) };
  }
  tf.dispose([value, results, grads]);
  const rectified = Object.fromEntries(rectifiers.map((layer, i) => [layer, values[i] as Float32Array]));
  return { pixels, cotangent, gradients, rectified, parameters: inFloat64, features: values.at(-1) as Float32Array };
}

/** Features and gradients in float64, with given choices. */
function inFloat64(name: keyof typeof architectures, got: Awaited<ReturnType<typeof onEngine>>, choices: Choices) {
  const { parameters, pixels, cotangent } = got;
  for (const { gradient } of Object.values(parameters)) gradient.fill(0);
  const { features, tape } = float64ResNet(name, parameters, images(shape, Float64Array.from(pixels)), choices);
  features.gradient.set(cotangent);
  tape.backward();
  const ofGradients = Object.entries(parameters).map(([key, { gradient }]) =>
    distance(got.gradients[key] as Float32Array, gradient),
  );
  return { features: distance(got.features, features.data), gradients: Math.max(...ofGradients) };
}

describeEngines('the gradients of a ResNet of width 16', () => {
  const cases = (['resnet18', 'resnet34'] as const).flatMap((name) =>
    Array.from({ length: Number(process.env.RESNET_SEEDS ?? 2) }, (_, seed) => [name, seed] as const),
  );
  it.each(cases)('of %s, seed %i, are those of float64', async (name, seed) => {
    const got = await onEngine(name, seed);
    const choices = followChoices(got.rectified);
    const followed = inFloat64(name, got, choices);
    if (choices.flips.length > 0) {
      const own = inFloat64(name, got, ownChoices);
      console.log(
        `${tf.getBackend()}, ${name}, seed ${seed}: rectifiers on the other side of zero than in float64: ${tellFlips(choices.flips)}; ` +
          `gradients part by ${own.gradients.toExponential(1)}, with the same choices by ${followed.gradients.toExponential(1)}`,
      );
    }
    expect(farthest(choices.flips)).toBeLessThan(ROUNDING);
    expect(followed.features).toBeLessThan(1e-4);
    expect(followed.gradients).toBeLessThan(2e-4);
  });
});
