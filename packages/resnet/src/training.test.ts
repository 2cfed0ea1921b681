import * as tf from '@tensorflow/tfjs-core';
import { ntXent } from '@tfjs-ssl/losses';
import { adamUpdate } from '@tfjs-ssl/ops';
import { mlpHead } from '@tfjs-ssl/projection-heads';
import { describeEngines, numberOf } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { namedWeights, resnet18 } from './index.ts';

describeEngines('a contrastive training by hand', () => {
  it('lowers the loss, moves every weight, and leaves no tensor behind', async () => {
    const encoder = resnet18({ width: 4, stem: 'small', seed: 1 });
    const head = mlpHead({ inputSize: 32, hiddenSizes: [16], outputSize: 8, seed: 1 });
    const parameters = [encoder, head].flatMap((model) => Object.values(namedWeights(model).parameters));
    const buffers = Object.values(namedWeights(encoder).buffers);
    const starts = await Promise.all(
      [...parameters, ...buffers].map(async (variable) => (await variable.data()).slice()),
    );
    const [m, v] = [0, 1].map(() => parameters.map(({ shape }) => tf.variable(tf.zeros(shape)))) as [
      tf.Variable[],
      tf.Variable[],
    ];
    // Four images; the second views are the first ones with noise.
    const images = tf.randomUniform([4, 8, 8, 3], 0, 1, 'float32', 1);
    const views = tf.concat([images, tf.add(images, tf.randomNormal(images.shape, 0, 0.1, 'float32', 2))]);
    const options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 1e-6, decoupled: false };

    const step = (t: number): Promise<number> =>
      numberOf(() => {
        const { value, grads } = tf.variableGrads(() => {
          const features = encoder.apply(views, { training: true }) as tf.Tensor;
          return ntXent(head.apply(features, { training: true }) as tf.Tensor2D, { temperature: 0.5 });
        }, parameters);
        const gradients = parameters.map(({ name }) => grads[name] as tf.Tensor);
        adamUpdate(parameters, gradients, m, v, tf.tensor1d([3e-3, 1 - 0.9 ** t, 1 - 0.999 ** t]), options);
        return value;
      });

    const losses = [await step(1)];
    const { numTensors, numDataBuffers } = tf.memory();
    for (let t = 2; t <= 8; t++) losses.push(await step(t));
    expect(tf.memory()).toMatchObject({ numTensors, numDataBuffers });
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(losses.at(-1)).toBeLessThan(0.7 * (losses[0] as number));
    for (const [i, variable] of [...parameters, ...buffers].entries()) {
      expect([...(await variable.data())], variable.name).not.toEqual([...(starts[i] as Float32Array)]);
    }
  });
});
