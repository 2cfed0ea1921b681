import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describeEngines } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { type Choices, type depths, float64ResNet } from '../test-support/float64-resnet.ts';
import { images, type Parameters } from '../test-support/float64-tape.ts';
import { namedWeights, resnet18, resnet34 } from './index.ts';

const architectures = { resnet18, resnet34 };
const shape: [number, number, number, number] = [8, 48, 48, 3];

/** How far a rectifier's input may lie from zero for two implementations to disagree about its sign: many times what rounding moves it. */
const ROUNDING = 1e-4;

const norm = (values: ArrayLike<number>): number => Math.sqrt(Array.from(values).reduce((sum, v) => sum + v * v, 0));

/** |a - b| / |b|. */
const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  norm(Array.from(a, (value, i) => value - (b[i] as number))) / norm(b);

const read = async (tensor: tf.Tensor): Promise<Float32Array> => (await tensor.data()) as Float32Array;

/** What an engine computes for a seed: features, gradients by name, and outputs of rectifiers by layer. */
async function onEngine(name: keyof typeof depths, seed: number) {
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
function inFloat64(name: keyof typeof depths, got: Awaited<ReturnType<typeof onEngine>>, choices: Choices) {
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

/*
 * The gradient of a rectifier jumps at zero: two right implementations part by percents where an input lies nearer to zero than rounding
 * moves it. So an engine is held to float64 with its own choices, and its choices to float64's wherever rounding leaves no doubt.
 */
describeEngines('the gradients of a ResNet of width 16', () => {
  const cases = (['resnet18', 'resnet34'] as const).flatMap((name) =>
    Array.from({ length: Number(process.env.RESNET_SEEDS ?? 2) }, (_, seed) => [name, seed] as const),
  );
  it.each(cases)('of %s, seed %i, are those of float64', async (name, seed) => {
    const got = await onEngine(name, seed);
    const flips: string[] = [];
    let farthest = 0;
    const followed = inFloat64(name, got, {
      passes: (layer, i, value) => {
        const passes = (got.rectified[layer]?.[i] as number) > 0;
        if (passes !== value > 0) {
          flips.push(`${layer} at ${value.toExponential(1)}`);
          farthest = Math.max(farthest, Math.abs(value));
        }
        return passes;
      },
      poolValue: (i) => got.rectified.bn1?.[i] as number,
    });
    if (flips.length > 0) {
      const own = inFloat64(name, got, { passes: (_layer, _i, value) => value > 0 });
      console.log(
        `${tf.getBackend()}, ${name}, seed ${seed}: rectifiers on the other side of zero than in float64: ${flips.join(', ')}; ` +
          `gradients part by ${own.gradients.toExponential(1)}, with the same choices by ${followed.gradients.toExponential(1)}`,
      );
    }
    expect(farthest).toBeLessThan(ROUNDING);
    expect(followed.features).toBeLessThan(1e-4);
    expect(followed.gradients).toBeLessThan(2e-4);
  });
});
