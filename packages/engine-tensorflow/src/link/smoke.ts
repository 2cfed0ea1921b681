import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { tensorflowEngine } from '../engine.ts';
import type { NodeBackend } from '../node-backend.ts';

/** What the smoke test prints as one line of JSON. */
export interface SmokeResult {
  readonly version: string;
  readonly device: string;
  readonly gpu: boolean;
  /** Largest difference of a convolution's filter gradient from the sum that it should be. */
  readonly error: number;
}

const { device } = await tensorflowEngine.start();
const images = tf.ones<tf.Rank.R4>([2, 6, 6, 1]);
const gradient = tf.grad((filter) => tf.sum(tf.conv2d(images, filter as tf.Tensor4D, 2, 1)))(tf.ones([3, 3, 1, 1]));
// Stride 2, padding 1 on 6 pixels: a tap of the first row or column misses one of three windows, all others none.
const expected = [8, 12, 12, 12, 18, 18, 12, 18, 18];
const error = [...gradient.dataSync()].reduce((worst, value, i) => Math.max(worst, Math.abs(value - expected[i]!)), 0);
const { binding } = tf.backend() as unknown as NodeBackend;
const result: SmokeResult = { version: binding.TF_Version, device, gpu: binding.isUsingGpuDevice(), error };
console.log(JSON.stringify(result));
await tensorflowEngine.stop();
