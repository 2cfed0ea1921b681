import * as tf from '@tensorflow/tfjs-core';
import { simclrChain } from '@tfjs-ssl/augmentations';
import { engine, type GpuCapturedStep, type RecordingSize } from '@tfjs-ssl/engine-webgpu';
import { namedWeights } from '@tfjs-ssl/layers';
import { contrastiveAccuracy, infoNCE } from '@tfjs-ssl/losses';
import type { StepFunction } from '@tfjs-ssl/ops';
import { mlpHead } from '@tfjs-ssl/projection-heads';
import { resnet18 } from '@tfjs-ssl/resnet';
import { adam } from '@tfjs-ssl/trainer';
import { hyperparameters } from './simclr-step.ts';

/** Size of a step. */
export interface PaperStepOptions {
  readonly images: number;
  /** Side of the square images in pixels. */
  readonly imageSize: number;
  /** Channels of the encoder's first stage. */
  readonly width: number;
}

/** The whole training step of the paper, augmentation included, on the WebGPU engine. */
export interface PaperStep {
  /** Runs a step operation by operation; the milliseconds that the host took, without those of the device. */
  eager(): Promise<number>;
  /** Replays the step, which the first call records; likewise. */
  replayed(): Promise<number>;
  /** What a recording of the step holds; needs none. */
  size(): RecordingSize;
  dispose(): void;
}

/** Makes the step: augment, encode, project, compare, update. The images are random numbers, and the inputs of every step the same. */
export function paperStep({ images, imageSize, width }: PaperStepOptions): PaperStep {
  const { temperature, learningRate, weightDecay } = hyperparameters;
  const chain = simclrChain({ size: imageSize });
  const encoder = resnet18({ inputShape: [imageSize, imageSize, 3], width, seed: 1 });
  const head = mlpHead({ inputSize: 8 * width, hiddenSizes: [256], outputSize: 128, seed: 2 });
  const [e, h] = [namedWeights(encoder).parameters, namedWeights(head).parameters];
  const parameters: Record<string, tf.Variable> = {};
  for (const [name, variable] of Object.entries(e)) parameters[`encoder.${name}`] = variable;
  for (const [name, variable] of Object.entries(h)) parameters[`head.${name}`] = variable;
  const optimizer = adam({ weightDecay });
  const state = optimizer.createState(parameters);

  const shape: [number, number, number, number] = [images, imageSize, imageSize, 3];
  const rows = chain.sampleTable({
    seed: 1,
    epoch: 0,
    images: Array.from({ length: images }, (_, i) => i),
    imageSize,
    views: 2,
  });
  const inputs = {
    pictures: tf.randomUniform<tf.Rank.R4>(shape, 0, 1, 'float32', 3),
    table: tf.tensor2d(rows, [2 * images, chain.columns.length]),
    scalars: tf.tensor1d(optimizer.scalars(1, learningRate)),
  };

  const step = ({ pictures, table, scalars }: Readonly<Record<keyof typeof inputs, tf.Tensor>>) => {
    let accuracies: tf.Tensor[] = [];
    const { value: loss, grads } = tf.variableGrads(() => {
      const views = chain.apply(pictures as tf.Tensor4D, table as tf.Tensor2D);
      const features = encoder.apply(views, { training: true });
      const result = infoNCE(head.apply(features, { training: true }) as tf.Tensor2D, { temperature });
      accuracies = [1, 5].map((k) => tf.keep(contrastiveAccuracy(result.ranks, k)));
      return result.loss;
    }, Object.values(parameters));
    const gradients = Object.fromEntries(
      Object.entries(parameters).map(([name, { name: id }]) => [name, grads[id] as tf.Tensor]),
    );
    optimizer.update(parameters, gradients, state, scalars as tf.Tensor1D);
    const values = tf.stack([loss, ...accuracies]);
    tf.dispose(accuracies);
    return { values };
  };
  const specs = Object.fromEntries(
    Object.entries(inputs).map(([name, { shape }]) => [name, { shape, dtype: 'float32' as const }]),
  );
  let captured: GpuCapturedStep | null = null;

  async function time(run: () => Record<string, tf.Tensor>): Promise<number> {
    const from = performance.now();
    const values = run().values as tf.Tensor;
    const milliseconds = performance.now() - from;
    await values.data(); // the device is done before the next step begins
    values.dispose();
    return milliseconds;
  }

  return {
    eager: () => time(() => tf.tidy(() => step(inputs))),
    replayed: () => {
      captured ??= engine.capture(step as StepFunction, specs);
      const recorded = captured;
      return time(() => recorded.replay(inputs));
    },
    size: () => engine.rehearse(step as StepFunction, specs),
    dispose() {
      captured?.dispose();
      tf.dispose([inputs, state]);
      encoder.dispose();
      head.dispose();
    },
  };
}
