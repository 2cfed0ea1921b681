import * as tf from '@tensorflow/tfjs-core';
import type { Precision } from '@tfjs-ssl/engine';
import { type ProfileBy, type StepProfile, webgpuEngine } from '@tfjs-ssl/engine-webgpu';
import { encodeWeights } from '@tfjs-ssl/layers';
import { encodeSafetensors } from '@tfjs-ssl/safetensors';
import { adam, constantSchedule, Trainer } from '@tfjs-ssl/trainer';
import { type PaperSize, paperParts } from './paper-parts.ts';
import { hyperparameters } from './simclr-step.ts';

/** Seconds of some steps: all that passed, and those in which the calling thread worked. */
interface StepSeconds {
  readonly all: number;
  readonly host: number;
}

/** The paper's whole training step from images on the device, as the trainer runs it. */
export interface ResidentStep {
  /** Number of trained values. */
  readonly parameters: number;
  /** Does steps, each started before the one before it is done, and returns the last one's loss (computed before its update). */
  run(steps: number): Promise<number>;
  /** Does steps and returns the seconds they took, up to the last loss. */
  time(steps: number): Promise<StepSeconds>;
  /** The GPU's times of steps, one after another. The first steps of all are not recorded yet and have none. */
  profile(steps: number, by: ProfileBy): Promise<StepProfile[]>;
  /** Weights, images, and the views of the first step as safetensors files, so that a rival starts from the same. */
  files(): Promise<Record<'encoder' | 'head' | 'images' | 'views', Uint8Array>>;
  dispose(): void;
}

/** Makes the step on the engine `webgpu`: augment, encode, project, compare, update. */
export function residentStep(size: PaperSize, precision: Precision): ResidentStep {
  const { learningRate, weightDecay } = hyperparameters;
  const parts = paperParts(size);
  const trainer = new Trainer({
    parameters: parts.parameters,
    inputs: parts.inputs,
    loss: parts.loss,
    optimizer: adam({ weightDecay }),
    schedule: constantSchedule({ learningRate }),
    precision,
  });
  let started = 0;

  async function work(steps: number): Promise<StepSeconds & { loss: number }> {
    const from = performance.now();
    let [host, loss] = [0, Number.NaN];
    let pending: Promise<void> | null = null;
    for (let left = steps; left > 0; left--) {
      const since = performance.now();
      const inputs = parts.inputsOf(started++);
      const result = trainer.step(inputs);
      host += performance.now() - since;
      const next = result.then((values) => {
        loss = values.loss;
        tf.dispose(inputs);
      });
      next.catch(() => {}); // it is awaited below
      await pending;
      pending = next;
    }
    await pending;
    return { all: (performance.now() - from) / 1000, host: host / 1000, loss };
  }

  return {
    parameters: Object.values(parts.parameters).reduce((sum, { size }) => sum + size, 0),
    run: async (steps) => (await work(steps)).loss,
    time: work,
    async profile(steps, by) {
      const profiles: StepProfile[] = [];
      for (let left = steps; left > 0; left--) profiles.push(...(await webgpuEngine.profile(() => work(1), by)));
      return profiles;
    },
    async files() {
      const inputs = parts.inputsOf(0);
      const views = tf.tidy(() => parts.views(inputs));
      const { pixels } = parts;
      const [stored, { imageSize }] = [size.stored ?? size.images, size];
      try {
        return {
          encoder: await encodeWeights(parts.encoder),
          head: await encodeWeights(parts.head),
          images: encodeSafetensors({
            images: { dtype: 'U8', shape: [stored, imageSize, imageSize, 3], data: pixels },
          }),
          views: encodeSafetensors({
            views: { dtype: 'F32', shape: views.shape, data: (await views.data()) as Float32Array },
          }),
        };
      } finally {
        tf.dispose([inputs, views]);
      }
    },
    dispose() {
      trainer.dispose();
      parts.dispose();
    },
  };
}
