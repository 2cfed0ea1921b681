import * as tf from '@tensorflow/tfjs-core';
import { type MomentumFlavour, momentumUpdate } from '@tfjs-ssl/ops';
import { describe, it } from 'vitest';
import { expectSameOnCpu } from '../../test-support/on-both.ts';

/** Sizes below, at and above a workgroup's block, more of them than one dispatch binds. */
const shapes = [[1], [255], [4097], [3, 3, 16, 40], [], [1000], [5, 7]];

const normal = (shape: number[], seed: number): tf.Tensor => tf.randomNormal(shape, 0, 1, 'float32', seed);

interface Options {
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly flavour: MomentumFlavour;
  readonly trust: readonly number[];
}

/** Parameters and velocities after two steps. */
function twoSteps(
  { momentum, nesterov, flavour, trust }: Options,
  scale?: [number, number],
): Record<string, tf.Tensor> {
  const variables = (seed: number) => shapes.map((shape, i) => tf.variable(normal(shape, seed + i)));
  const [p, v] = [variables(100), variables(200)];
  const gradients = shapes.map((shape, i) => normal(shape, 300 + i));
  // Trust ratios must not divide by zero.
  gradients[6] = tf.zeros([5, 7]);
  const options = {
    ...{ momentum, nesterov, flavour },
    weightDecays: shapes.map((_, i) => (i % 3 === 2 ? 0 : 0.01 * i)),
    trustCoefficients: shapes.map((_, i) => trust[i % trust.length] as number),
  };
  for (const learningRate of [0.1, 0.05]) {
    const gradientScale = scale ? tf.tensor1d(scale) : undefined;
    momentumUpdate(p, gradients, v, tf.tensor1d([learningRate]), options, gradientScale);
  }
  const results = Object.entries({ p, v }).flatMap(([name, list]) =>
    list.map((variable, i) => [`${name}${i}`, tf.mul(variable, 1)] as const),
  );
  tf.dispose([...p, ...v]);
  return Object.fromEntries(results);
}

describe('MomentumUpdate', () => {
  const variants: Options[] = [
    { momentum: 0, nesterov: false, flavour: 'torch', trust: [0] },
    { momentum: 0.9, nesterov: false, flavour: 'torch', trust: [0] },
    { momentum: 0.9, nesterov: true, flavour: 'torch', trust: [0.001, 0] },
    { momentum: 0.9, nesterov: false, flavour: 'simclr', trust: [0.001, 0] },
    { momentum: 0.9, nesterov: true, flavour: 'popular', trust: [0.001] },
    { momentum: 0, nesterov: false, flavour: 'popular', trust: [0.001, 0] },
  ];
  it.each(variants)(
    'equals its composition: $flavour, momentum $momentum, nesterov $nesterov, trust $trust',
    async (options) => {
      await expectSameOnCpu(() => twoSteps(options), { atol: 1e-6, rtol: 1e-5 });
    },
  );

  it('scales gradients, or leaves everything as it is', async () => {
    for (const trust of [[0], [0.001]]) {
      const options = { momentum: 0.9, nesterov: false, flavour: 'simclr', trust } as const;
      await expectSameOnCpu(() => twoSteps(options, [0.125, 1]), { atol: 1e-6, rtol: 1e-5 });
      await expectSameOnCpu(() => twoSteps(options, [Number.NaN, 0]), {});
    }
  });
});
