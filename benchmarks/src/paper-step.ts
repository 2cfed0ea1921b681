import * as tf from '@tensorflow/tfjs-core';
import { type GpuCapturedStep, type RecordingSize, webgpuEngine } from '@tfjs-ssl/engine-webgpu';
import type { Precision, StepFunction } from '@tfjs-ssl/ops';
import { adam } from '@tfjs-ssl/trainer';
import { type PaperSize, paperParts } from './paper-parts.ts';
import { hyperparameters } from './simclr-step.ts';

/** The whole training step of the paper, augmentation included, on the WebGPU engine: what it costs the host. */
export interface PaperStep {
  /** Runs a step operation by operation; the milliseconds that the host took, without those of the device. */
  eager(): Promise<number>;
  /** Replays the step, which the first call records; likewise. */
  replayed(): Promise<number>;
  /** What a recording of the step holds; needs none. */
  size(): RecordingSize;
  dispose(): void;
}

/** Makes the step: augment, encode, project, compare, update. The inputs of every step are the same. */
export function paperStep(size: PaperSize, precision: Precision = 'float32'): PaperStep {
  const { learningRate, weightDecay } = hyperparameters;
  const parts = paperParts(size);
  const { parameters } = parts;
  const optimizer = adam({ weightDecay });
  const state = optimizer.createState(parameters);
  const scalars = tf.tensor1d(optimizer.scalars(1, learningRate));
  const inputs = { ...parts.inputsOf(0), scalars };
  const specs = {
    ...parts.inputs,
    scalars: { shape: scalars.shape, dtype: 'float32' as const },
  };

  const step = ({ scalars, ...own }: Readonly<Record<string, tf.Tensor>>) => {
    let metrics: tf.Tensor[] = [];
    const { value: loss, grads } = tf.variableGrads(() => {
      const result = parts.loss(own);
      metrics = Object.values(result.metrics).map((metric) => tf.keep(metric));
      return result.loss;
    }, Object.values(parameters));
    const gradients = Object.fromEntries(
      Object.entries(parameters).map(([name, { name: id }]) => [name, grads[id] as tf.Tensor]),
    );
    optimizer.update(parameters, gradients, state, scalars as tf.Tensor1D);
    const values = tf.stack([loss, ...metrics]);
    tf.dispose(metrics);
    return { values };
  };
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
    eager: () => time(() => webgpuEngine.withPrecision(precision, () => tf.tidy(() => step(inputs)))),
    replayed: () => {
      captured ??= webgpuEngine.withPrecision(precision, () => webgpuEngine.capture(step as StepFunction, specs));
      const recorded = captured;
      return time(() => recorded.replay(inputs));
    },
    size: () => webgpuEngine.withPrecision(precision, () => webgpuEngine.rehearse(step as StepFunction, specs)),
    dispose() {
      captured?.dispose();
      tf.dispose([inputs, state]);
      parts.dispose();
    },
  };
}
