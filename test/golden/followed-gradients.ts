import type * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { both, ntXentInFloat64 } from '../../packages/losses/test-support/float64-contrast.ts';
import { type Architecture, type Choices, float64ResNet } from '../../packages/resnet/test-support/float64-resnet.ts';
import { type Images, images } from '../../packages/resnet/test-support/float64-tape.ts';
import {
  farthest,
  followChoices,
  ownChoices,
  ROUNDING,
  tellFlips,
} from '../../packages/resnet/test-support/followed-choices.ts';
import { type DigestExpectation, digest } from './digest.ts';
import type { Expectation, GoldenCase, GoldenGroup, GoldenTensor } from './harness.ts';
import type { GoldenNetwork } from './network.ts';

type Named = Readonly<Record<string, ArrayLike<number>>>;

/** Gradients of a network: of its parameters in PyTorch's layout, and of its stages' outputs. */
export interface Gradients {
  readonly parameters: Named;
  readonly stages: Named;
}

/** [H, W, in, out] to [out, in, H, W]; a matrix is a kernel of one pixel. */
function inTorchOrder(data: Float64Array, shape: readonly number[]): Float64Array {
  if (shape.length === 1) return data;
  const [channels, filters] = shape.slice(-2) as [number, number];
  const pixels = data.length / channels / filters;
  return Float64Array.from({ length: data.length }, (_, i) => {
    const [pixel, channel, filter] = [i % pixels, Math.floor(i / pixels) % channels, Math.floor(i / pixels / channels)];
    return data[(pixel * channels + channel) * filters + filter]!;
  });
}

/** Runs a golden network in float64 and goes back through it. */
async function inFloat64(
  { params }: GoldenCase,
  { parameters: variables }: GoldenNetwork,
  pixels: Images,
  choices: Choices,
): Promise<Gradients> {
  const read = async ([name, variable]: [string, tf.Variable]) =>
    [name, { data: Float64Array.from(await variable.data()), gradient: new Float64Array(variable.size) }] as const;
  const parameters = Object.fromEntries(await Promise.all(Object.entries(variables).map(read)));
  const { tape, features, stages } = float64ResNet(
    params.arch as Architecture,
    parameters,
    pixels,
    choices,
    params.stem === 'cifar' ? 'cifar' : 'imagenet',
  );
  let z = features;
  for (let layer = 0; layer < params.head.length - 1; layer++) {
    if (layer > 0) z = tape.rectify(`fc.${2 * layer - 1}`, z, choices.passes);
    z = tape.linear(`fc.${2 * layer}`, z);
  }
  const [rows, , , columns] = z.shape;
  const projections = Array.from({ length: rows }, (_, row) =>
    Array.from(z.data.slice(row * columns, (row + 1) * columns)),
  );
  z.gradient.set(both(ntXentInFloat64(projections, params.tau)).gradient.flat());
  tape.backward();
  return {
    parameters: Object.fromEntries(
      Object.entries(parameters).map(([name, { gradient }]) => [name, inTorchOrder(gradient, variables[name]!.shape)]),
    ),
    stages: Object.fromEntries(Object.entries(stages).map(([name, { gradient }]) => [name, gradient])),
  };
}

/** What a case expects of gradients, with the gradients' numbers in place of the files'. */
function withGradients(golden: GoldenCase, group: GoldenGroup, { parameters, stages }: Gradients): GoldenGroup {
  const replaced = new Map<string, GoldenTensor>();
  for (const [name, expectation] of Object.entries(
    golden.expected as Record<string, Expectation | DigestExpectation>,
  )) {
    if (!isOfGradients(name)) continue;
    const tensor = expectation.tensor as string;
    if ('rule' in expectation) {
      const of = name === 'parameter_gradients' ? parameters : stages;
      const rows = expectation.rows.map((row) => digest(row.name, of[row.name] as ArrayLike<number>));
      replaced.set(tensor, { shape: group.tensor(tensor).shape, data: Float64Array.from(rows.flat()) });
    } else {
      const data = parameters[name.replace(/^full_gradient:/, '')] as Float64Array;
      replaced.set(tensor, { shape: group.tensor(tensor).shape, data });
    }
  }
  return { ...group, tensor: (name) => replaced.get(name) ?? group.tensor(name) };
}

/** Whether a case expects a gradient under a name. */
export const isOfGradients = (name: string): boolean => /gradient/.test(name);

/**
 * What is expected of the gradients of an engine some of whose rectifiers lie on the other side of zero than in float64: those of float64 with
 * the engine's choices. Each of them must lie within rounding of zero, and float64 with its own choices must give what the files have.
 *
 * @param rectified - what came out of each rectifier on the engine.
 * @param check - asserts the case's gradients against a group.
 * @returns the group with these gradients; null where the engine chooses as float64 does.
 */
export async function followedGradients(
  golden: GoldenCase,
  group: GoldenGroup,
  network: GoldenNetwork,
  rectified: Named,
  check: (group: GoldenGroup, gradients: Gradients) => void,
): Promise<GoldenGroup | null> {
  const { data, shape } = group.tensor(golden.inputs.images_u8);
  const pixels = (): Images =>
    images(
      shape as unknown as Images['shape'],
      Float64Array.from(data, (value) => Math.fround(value / 255)),
    );
  const choices = followChoices(rectified);
  const followed = await inFloat64(golden, network, pixels(), choices);
  const { flips } = choices;
  if (flips.length === 0) return null;
  console.log(
    `golden: ${expect.getState().currentTestName}: rectifiers on the other side of zero than in float64: ${tellFlips(flips)}; ` +
      'its gradients are held to float64 with the same choices',
  );
  expect(farthest(flips), 'distance of a rectifier from zero').toBeLessThan(ROUNDING);
  check(group, await inFloat64(golden, network, pixels(), ownChoices));
  return withGradients(golden, group, followed);
}
