import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { batchNormTrain, globalAveragePool, type Precision } from '@tfjs-ssl/ops';
import { describeEngines } from '@tfjs-ssl/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { gpu } from '../../test-support/reference.ts';
import { webgpuEngine } from '../engine.ts';
import type { MatrixUnit } from '../product/product.ts';
import { describeDispatches } from '../profile/step-profiler.ts';

const inputs = { x: { shape: [4, 12, 12, 4], dtype: 'float32' } } as const;
const batch = (seed: number) => tf.randomNormal([4, 12, 12, 4], 0, 1, 'float32', seed);

/** A small residual network that learns by gradient descent: what kernels of activations a ResNet has, once each. */
function network() {
  const normal = (shape: number[], seed: number) =>
    tf.tidy(() => tf.variable(tf.randomNormal(shape, 0, 0.3, 'float32', seed + 1)));
  const weights = [[3, 3, 4, 8], [3, 3, 8, 8], [1, 1, 8, 16], [3, 3, 8, 16], [16, 4]].map(normal); // biome-ignore format: one layer each
  const [stem, inner, shortcut, outer, dense] = weights as [tf.Variable<tf.Rank.R4>, ...tf.Variable<tf.Rank.R4>[]];
  const normalise = (x: tf.Tensor, relu: boolean, residual?: tf.Tensor) => {
    const channels = x.shape.at(-1) as number;
    const options = { relu, ...(residual ? { residual } : {}) };
    return batchNormTrain(x, tf.ones([channels]), tf.zeros([channels]), options).output as tf.Tensor4D;
  };
  const features = (x: tf.Tensor) => {
    const first = normalise(tf.conv2d(x as tf.Tensor4D, stem, 1, 1), true);
    const pooled = tf.maxPool(first, 3, 2, 1);
    const block = normalise(tf.conv2d(pooled, inner!, 1, 1), true, pooled);
    const aside = normalise(tf.conv2d(block, shortcut!, 2, 0), false);
    return normalise(tf.conv2d(block, outer!, 2, 1), true, aside);
  };
  const step = ({ x }: Readonly<Record<string, tf.Tensor>>) => {
    const { value, grads } = tf.variableGrads(() => {
      const projections = tf.matMul(globalAveragePool(features(x as tf.Tensor)), dense as never);
      return tf.mul(tf.mean(tf.square(tf.sub(projections, 1))), 64) as tf.Scalar;
    }, weights);
    for (const weight of weights) weight.assign(tf.sub(weight, tf.mul(grads[weight.name] as tf.Tensor, 1e-3)));
    return { loss: value };
  };
  return { weights, features, step };
}

const read = (tensors: readonly tf.Tensor[]) => Promise.all(tensors.map(async (t) => Array.from(await t.data())));

/** Losses of some steps and the weights after them. */
async function train(precision: Precision, replay: boolean) {
  const { weights, step } = network();
  const recorded = replay ? webgpuEngine.withPrecision(precision, () => webgpuEngine.capture(step, inputs)) : null;
  const losses: number[] = [];
  for (let i = 0; i < 4; i++) {
    const x = batch(i + 1);
    const run = () => (recorded ? recorded.replay({ x }) : tf.tidy(() => step({ x })));
    const { loss } = webgpuEngine.withPrecision(precision, run);
    losses.push((await (loss as tf.Tensor).data())[0] as number);
    tf.dispose([loss as tf.Tensor, x]);
  }
  recorded?.dispose();
  const values = await read(weights);
  tf.dispose(weights);
  return { losses, values };
}

describeEngines('a recorded step of a residual network', () => {
  // compiling a network for matrix units takes a software driver long; single layers are tested on them
  let matrixUnit: MatrixUnit | null;
  beforeAll(() => {
    matrixUnit = gpu().matrixUnit;
    Object.assign(gpu(), { matrixUnit: null });
  });
  afterAll(() => {
    Object.assign(gpu(), { matrixUnit });
  });

  it('in mixed precision is bit for bit what it is when it is not recorded', async ({ skip }) => {
    skip(!gpu().device.features.has('shader-f16'), 'this device has no float16');
    const eager = await train('mixed', false);
    expect(eager.losses.every(Number.isFinite)).toBe(true);
    expect(new Set(eager.losses).size).toBe(4);
    expect(await train('mixed', true)).toEqual(eager);
  });

  it('in mixed precision widens nothing, and moves half the bytes of activations', ({ skip }) => {
    skip(!gpu().device.features.has('shader-f16'), 'this device has no float16');
    const { weights, step } = network();
    const dispatchesIn = (precision: Precision) => {
      const recorded = webgpuEngine.withPrecision(precision, () => webgpuEngine.capture(step, inputs));
      const dispatches = describeDispatches(recorded.recorded.recording);
      const { bytes } = recorded.recorded.size;
      recorded.dispose();
      return { dispatches, bytes };
    };
    const [float32, mixed] = [dispatchesIn('float32'), dispatchesIn('mixed')];
    expect(mixed.dispatches.filter(({ kernel }) => kernel.startsWith('Widen'))).toEqual([]);
    expect(mixed.bytes).toBeLessThan(0.7 * float32.bytes);
    const apply = (of: typeof mixed) => of.dispatches.find(({ kernel }) => kernel.startsWith('BatchNormApply'))!;
    const activation = 4 * 12 * 12 * 8;
    expect(apply(float32).bytes - apply(mixed).bytes).toBe(2 * 2 * activation); // x and the output
    tf.dispose(weights);
  });

  it('gives outputs that are float32 to all, whatever they were within the step', async ({ skip }) => {
    skip(!gpu().device.features.has('shader-f16'), 'this device has no float16');
    const { weights, features } = network();
    const evaluate = ({ x }: Readonly<Record<string, tf.Tensor>>) => ({ y: features(x as tf.Tensor) });
    const recorded = webgpuEngine.withPrecision('mixed', () => webgpuEngine.capture(evaluate, inputs));
    const kept: tf.Tensor[] = [];
    const expected: number[][] = [];
    for (let i = 0; i < 3; i++) {
      const x = batch(i + 1);
      kept.push(recorded.replay({ x }).y as tf.Tensor);
      const { y } = webgpuEngine.withPrecision('mixed', () => tf.tidy(() => evaluate({ x })));
      expect(gpu().isHalf(y.dataId)).toBe(true);
      expected.push(Array.from(await y.data()));
      tf.dispose([x, y]);
    }
    expect(kept.map(({ dataId }) => gpu().isHalf(dataId))).toEqual([false, false, false]);
    expect(await read(kept)).toEqual(expected);
    recorded.dispose();
    expect(await read(kept.map((y) => tf.mul(y, 1)))).toEqual(expected);
    tf.dispose([kept, weights]);
  });
});
