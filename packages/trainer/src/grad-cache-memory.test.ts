import * as tf from '@tensorflow/tfjs-core';
import { ntXentWithRanks } from '@tfjs-ssl/ops';
import { describeEngines } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { constantSchedule, gradCache, sgd, Trainer } from './index.ts';

const [rows, width, layers] = [2048, 256, 12];
const variable = (shape: number[], seed: number) =>
  tf.tidy(() => tf.variable(tf.randomNormal(shape, 0, 0.1, 'float32', seed)));

/** Megabytes that the engine has needed so far. */
const reserved = () => (tf.memory() as { readonly wasmBytesReserved?: number }).wasmBytesReserved! / 1e6;

describeEngines('gradCache in memory', ({ name }) => {
  it('needs the activations of one chunk at a time', async ({ skip }) => {
    skip(name !== 'simd', 'the engine does not say what it needs');
    const parameters = Object.fromEntries(
      Array.from({ length: layers }, (_, i) => [`${i}`, variable([width, width], i + 1)]),
    );
    const embed = (x: tf.Tensor2D) =>
      Object.values(parameters).reduce<tf.Tensor2D>((y, weight) => tf.relu(tf.matMul(y, weight as tf.Tensor2D)), x);
    const train = async (chunks: number) => {
      const trainer = new Trainer({
        parameters,
        inputs: { x: { shape: [rows, width] } },
        loss: ({ x }) => {
          const z =
            chunks === 1 ? embed(x) : gradCache(tf.split<tf.Tensor2D>(x, chunks), { parameters, views: 1 }, embed);
          return ntXentWithRanks(z, { temperature: 0.5 }).loss;
        },
        optimizer: sgd(),
        schedule: constantSchedule({ learningRate: 1e-3 }),
      });
      const x = tf.randomNormal([rows, width], 0, 1, 'float32', 99);
      for (let i = 0; i < 2; i++) await trainer.step({ x });
      x.dispose();
      trainer.dispose();
    };
    const before = reserved();
    await train(16);
    const chunked = reserved() - before;
    await train(1);
    const whole = reserved() - before;
    // a layer's activations are 2.1 MB; a product and a rectifier of each layer are kept
    expect(whole).toBeGreaterThan(layers * 2 * 2.1);
    expect(chunked).toBeLessThan(whole / 2);
  });
});
