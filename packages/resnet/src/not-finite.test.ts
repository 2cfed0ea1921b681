import * as tf from '@tensorflow/tfjs-core';
import { currentEngine, type Precision } from '@tfjs-ssl/engine';
import { ntXent } from '@tfjs-ssl/losses';
import { mlpHead } from '@tfjs-ssl/projection-heads';
import { describeEngines } from '@tfjs-ssl/testing';
import { adam, Trainer } from '@tfjs-ssl/trainer';
import { expect, it } from 'vitest';
import { namedWeights, resnet18 } from './index.ts';

const shape: [number, number, number, number] = [8, 8, 8, 3];

/** A contrastive training whose learning rate is `rate.now`. */
function training(precision: Precision) {
  const encoder = resnet18({ width: 4, stem: 'small', seed: 1 });
  const head = mlpHead({ inputSize: 32, hiddenSizes: [16], outputSize: 8, seed: 1 });
  const [ofEncoder, ofHead] = [namedWeights(encoder), namedWeights(head)];
  const rate = { now: 1e-3 };
  const trainer = new Trainer({
    parameters: { ...ofEncoder.parameters, ...ofHead.parameters },
    buffers: ofEncoder.buffers,
    inputs: { images: { shape } },
    loss: ({ images }) => {
      const features = encoder.apply(images, { training: true }) as tf.Tensor;
      return { loss: ntXent(head.apply(features, { training: true }) as tf.Tensor2D, { temperature: 0.5 }) };
    },
    optimizer: adam(),
    schedule: () => rate.now,
    precision,
  });
  const step = async (change: (values: Float32Array) => void = () => {}) => {
    const values = Float32Array.from({ length: 1536 }, (_, i) => Math.abs(Math.sin(12.9898 * (i + 1) + 78.233)));
    change(values);
    const images = tf.tensor4d(values, shape);
    try {
      return await trainer.step({ images });
    } finally {
      images.dispose();
    }
  };
  return { trainer, rate, step };
}

async function notFinite(variables: Readonly<Record<string, tf.Variable>>): Promise<string[]> {
  const names: string[] = [];
  for (const [name, variable] of Object.entries(variables)) {
    if (!(await variable.data()).every(Number.isFinite)) names.push(name);
  }
  return names;
}

const spoiled = /^Trainer: the loss of step \d+ is (NaN|-?Infinity)\./;

const spoilPixel = (value: number) => (values: Float32Array) => {
  values[100] = value;
};

describeEngines('a step of a ResNet with what is not finite', () => {
  for (const precision of ['float32', 'mixed'] as const) {
    // an engine that records steps computes the first one by itself and replays the third
    for (const at of [0, 2]) {
      it(`says so of one pixel, in step ${at}, in ${precision}`, async ({ skip }) => {
        skip(!currentEngine().precisions.includes(precision), 'this engine has float32 only');
        const { trainer, step } = training(precision);
        while (trainer.stepsDone < at) await step();
        const before = await Promise.all(Object.values(trainer.buffers).map(async (b) => (await b.data()).slice()));
        for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
          await expect(step(spoilPixel(value))).rejects.toThrow(spoiled);
          if (precision === 'float32') break;
          // skipped: nothing has changed, and the training goes on
          const after = await Promise.all(Object.values(trainer.buffers).map((buffer) => buffer.data()));
          expect(after).toEqual(before);
          expect(await notFinite(trainer.parameters)).toEqual([]);
        }
        if (precision === 'mixed') expect((await step()).loss).toBeLessThan(3);
        else await expect(step()).rejects.toThrow('spoiled');
        trainer.dispose();
      });
    }

    it(`says so of a weight, in ${precision}`, async ({ skip }) => {
      skip(!currentEngine().precisions.includes(precision), 'this engine has float32 only');
      const { trainer, step } = training(precision);
      for (const name of ['layer2.0.conv1.weight', 'layer1.1.bn1.bias', 'layer3.0.bn2.weight']) {
        const variable = trainer.parameters[name] as tf.Variable;
        const sound = await trainer.snapshot();
        for (const value of [Number.POSITIVE_INFINITY, Number.NaN]) {
          const values = (await variable.data()).slice();
          values[1] = value;
          tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
          await expect(step()).rejects.toThrow(spoiled);
          trainer.restore(sound);
        }
      }
      trainer.dispose();
    });

    it(`says so of a learning rate by which the weights overflow, within two updates, in ${precision}`, async ({
      skip,
    }) => {
      skip(!currentEngine().precisions.includes(precision), 'this engine has float32 only');
      const { trainer, rate, step } = training(precision);
      await step();
      rate.now = 1e19;
      let updates = 0;
      const train = async () => {
        while (updates < 3) if (!(await step()).skipped) updates++;
      };
      await expect(train()).rejects.toThrow(spoiled);
      expect(updates).toBeLessThan(3);
      if (precision === 'mixed') expect(await notFinite(trainer.buffers)).toEqual([]);
      trainer.dispose();
    });
  }
});
