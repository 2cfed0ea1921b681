import * as tf from '@tensorflow/tfjs-core';
import { simclrChain } from '@tfjs-ssl/augmentations';
import { efficientnetB0, stochasticDepthShape, stochasticDepthTable } from '@tfjs-ssl/efficientnet';
import { compile, currentEngine, type Precision } from '@tfjs-ssl/engine';
import { webgpuEngine } from '@tfjs-ssl/engine-webgpu';
import { namedWeights } from '@tfjs-ssl/layers';
import { contrastiveAccuracy, ntXentWithRanks } from '@tfjs-ssl/losses';
import { mlpHead } from '@tfjs-ssl/projection-heads';
import { resnet18 } from '@tfjs-ssl/resnet';
import { describeEngines, disposeVariables } from '@tfjs-ssl/testing';
import { adam } from '@tfjs-ssl/trainer';
import { expect, it } from 'vitest';

const [images, size, steps] = [4, 16, 20];

const encoders = {
  resnet18: () => resnet18({ inputShape: [size, size, 3], width: 8, seed: 1 }),
  efficientnet: () =>
    efficientnetB0({
      inputShape: [size, size, 3],
      width: 0.1,
      depth: 0.5,
      stem: 'small',
      stochasticDepth: 0.5,
      seed: 1,
    }),
};
type EncoderName = keyof typeof encoders;

/** The paper's step on a narrow network: augment, encode, project, compare, update. An EfficientNet also leaves out branches. */
function paperStep(name: EncoderName) {
  const chain = simclrChain({ size });
  const encoder = encoders[name]();
  const drops = name === 'efficientnet';
  const head = mlpHead({
    inputSize: encoder.outputs[0]?.shape[1] as number,
    hiddenSizes: [32],
    outputSize: 16,
    seed: 2,
  });
  const { parameters, buffers } = namedWeights({ encoder, head });
  const optimizer = adam({ weightDecay: 1e-4 });
  const state = optimizer.createState(parameters);
  const rng = (i: number) => Math.abs(Math.sin(12.9898 * (i + 1) + 78.233));
  const pixels = Float32Array.from({ length: images * size * size * 3 }, (_, i) => rng(i));

  const step = (inputs: Readonly<Record<string, tf.Tensor>>) => {
    const { pictures, table, scalars, stochasticDepth } = inputs;
    const options = { training: true, ...(stochasticDepth && { stochasticDepth }) };
    let accuracy: tf.Tensor | undefined;
    const { value, grads } = tf.variableGrads(() => {
      const views = chain.apply(pictures as tf.Tensor4D, table as tf.Tensor2D);
      const features = encoder.apply(views, options);
      const { loss, ranks } = ntXentWithRanks(head.apply(features, { training: true }) as tf.Tensor2D, {
        temperature: 0.07,
      });
      accuracy = tf.keep(contrastiveAccuracy(ranks, 1));
      return loss;
    }, Object.values(parameters));
    const gradients = Object.fromEntries(
      Object.entries(parameters).map(([name, { name: id }]) => [name, grads[id] as tf.Tensor]),
    );
    optimizer.update(parameters, gradients, state, scalars as tf.Tensor1D);
    const values = tf.stack([value, accuracy as tf.Tensor]);
    accuracy?.dispose();
    return { values };
  };
  return {
    step,
    specs: {
      pictures: { shape: [images, size, size, 3] },
      table: { shape: [2 * images, chain.columns.length] },
      scalars: { shape: [3] },
      ...(drops && { stochasticDepth: { shape: stochasticDepthShape(encoder, 2 * images) } }),
    } as Record<string, { readonly shape: readonly number[] }>,
    inputs: (i: number): Record<string, tf.Tensor> => ({
      pictures: tf.tensor4d(pixels.slice(), [images, size, size, 3]),
      table: chain.sampleTable({ seed: 5, epoch: i, indices: [0, 1, 2, 3], imageSize: size, views: 2 }),
      scalars: tf.tensor1d(optimizer.scalars(i + 1, 1e-3)),
      ...(drops && { stochasticDepth: stochasticDepthTable(encoder, { seed: 5, step: i, rows: 2 * images }) }),
    }),
    allVariables: () => [
      ...Object.entries(parameters),
      ...Object.entries(buffers),
      ...Object.entries(state.firstMoment ?? {}),
      ...Object.entries(state.secondMoment ?? {}),
    ],
  };
}

async function train(
  encoder: EncoderName,
  how: 'eager' | 'replayed',
  precision: Precision,
): Promise<{ values: number[]; variables: Float32Array[] }> {
  const { step, specs, inputs, allVariables } = paperStep(encoder);
  const compiled = compile(step, { inputs: specs, precision });
  const values: number[] = [];
  for (let i = 0; i < steps; i++) {
    const given = inputs(i);
    const outputs =
      how === 'eager' ? webgpuEngine.withPrecision(precision, () => tf.tidy(() => step(given))) : compiled(given);
    values.push(...(await outputs.values.data()));
    tf.dispose([given, outputs]);
    if (i === steps / 2) compiled.check();
  }
  compiled.dispose();
  const variables: Float32Array[] = [];
  for (const [, variable] of allVariables()) variables.push((await variable.data()) as Float32Array);
  disposeVariables();
  return { values, variables };
}

/** What is equal bit for bit over all steps. */
const name = `equals the eager one bit for bit: losses, weights, running statistics, moments over ${steps} steps`;

describeEngines('a replayed training', () => {
  const cases = (['resnet18', 'efficientnet'] as const).flatMap((encoder) =>
    (['float32', 'mixed'] as const).map((precision) => [encoder, precision] as const),
  );
  it.for(cases)(`of %s ${name}, in %s`, { timeout: 900_000 }, async ([encoder, precision], { skip }) => {
    skip(!currentEngine().precisions.includes(precision), `this engine has no ${precision} precision`);
    const isSwiftShader = /swiftshader/i.test(currentEngine().device);
    skip(
      encoder === 'efficientnet' && isSwiftShader,
      'SwiftShader compiles its shaders for minutes: take another driver',
    );
    const eager = await train(encoder, 'eager', precision);
    const replayed = await train(encoder, 'replayed', precision);
    expect(replayed.values).toEqual(eager.values);
    expect(replayed.variables.length).toBeGreaterThan(200);
    replayed.variables.forEach((values, i) => {
      expect(values).toEqual(eager.variables[i]);
    });
    expect(eager.values.every(Number.isFinite)).toBe(true);
    expect(new Set(eager.values).size).toBeGreaterThan(steps);
  });
});
