import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { adamUpdate, batchNormTrain } from '@tfjs-ssl/ops';
import { expectClose } from '@tfjs-ssl/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { tensorflowEngine } from './index.ts';
import type { NodeBackend } from './node-backend.ts';

const found = await tensorflowEngine.probe();

const handles = (): number => (tf.backend() as unknown as NodeBackend).binding.getNumOfTensors();

describe('the TensorFlow engine', () => {
  beforeAll(async () => {
    if (found.available) await tensorflowEngine.start();
  });
  beforeEach(({ skip }) => skip(!found.available, found.available ? '' : found.reason));
  afterAll(() => tensorflowEngine.stop());

  it('says what it is', async () => {
    const { name, backend, version, device, precisions } = await tensorflowEngine.start();
    expect({ name, backend, precisions }).toEqual({
      name: 'tensorflow',
      backend: 'tensorflow',
      precisions: ['float32'],
    });
    expect(version).toMatch(/^TensorFlow 2\.\d+\.\d+.* through @tensorflow\/tfjs-node/);
    expect(device).not.toBe('');
  });

  it('refuses to start where a GPU is demanded and there is none', async () => {
    const { binding } = tf.backend() as unknown as NodeBackend;
    if (binding.isUsingGpuDevice())
      expect(await tensorflowEngine.probe({ requireGpu: true })).toMatchObject({ gpu: true });
    else {
      expect(await tensorflowEngine.probe({ requireGpu: true })).toMatchObject({
        available: false,
        onlyGpuMissing: true,
      });
      await expect(tensorflowEngine.start({ requireGpu: true })).rejects.toThrow(
        /a GPU was demanded, and (this system|TensorFlow)/,
      );
    }
  });

  it('leaves no tensor of TensorFlow behind', () => {
    const step = () =>
      tf.tidy(() => {
        const [x, k] = [tf.ones([2, 9, 9, 3]) as tf.Tensor4D, tf.ones([3, 3, 3, 4]) as tf.Tensor4D];
        const f = (filter: tf.Tensor) => {
          const y = tf.conv2d(x, filter as tf.Tensor4D, 2, 1);
          const { output } = batchNormTrain(y, tf.ones([4]), tf.zeros([4]), { relu: true, residual: y });
          return tf.mean(tf.maxPool(output as tf.Tensor4D, 3, 2, 1)) as tf.Scalar;
        };
        const parameter = tf.variable(k);
        const gradient = tf.grad(f)(parameter);
        const moments = [tf.variable(tf.zerosLike(k)), tf.variable(tf.zerosLike(k))] as const;
        const options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1, decoupled: false };
        const scalars = tf.tensor1d([0.1, 0.1, 0.001]);
        adamUpdate([parameter], [gradient], [moments[0]], [moments[1]], scalars, options);
        tf.dispose([parameter, ...moments]);
      });
    step(); // uploads the constants that are kept
    const before = { handles: handles(), tensors: tf.memory().numTensors };
    for (let i = 0; i < 3; i++) step();
    expect({ handles: handles(), tensors: tf.memory().numTensors }).toEqual(before);
  });

  it('keeps the digits of batch statistics over many rows', async () => {
    const rows = 65_536;
    const values = Float32Array.from({ length: 2 * rows }, (_, i) => Math.sin(i * 12.9898) + (i % 2) * 3);
    const moments = [0, 1].map((channel) => {
      let [sum, squares] = [0, 0];
      for (let i = channel; i < values.length; i += 2) sum += values[i] as number;
      for (let i = channel; i < values.length; i += 2) squares += ((values[i] as number) - sum / rows) ** 2;
      return { mean: sum / rows, variance: squares / rows };
    });
    const x = tf.tensor(values, [64, 32, 32, 2]);
    const { mean, variance } = batchNormTrain(x, tf.ones([2]), tf.zeros([2]));
    const tolerance = { atol: 1e-6, rtol: 1e-6 };
    await expectClose(
      await mean.data(),
      moments.map((channel) => channel.mean),
      tolerance,
    );
    await expectClose(
      await variance.data(),
      moments.map((channel) => channel.variance),
      tolerance,
    );
  });

  it('tells 0 from -0 among the numbers that it keeps', async () => {
    const inverses = [0, -0, 0].map((value) => tf.div(1, tf.scalar(value)));
    expect(await Promise.all(inverses.map(async (t) => (await t.data())[0]))).toEqual([Infinity, -Infinity, Infinity]);
  });

  it('lets a variable be read, assigned and updated in any order', async () => {
    const p = tf.variable(tf.tensor1d([1, 2]));
    const [m, v] = [tf.variable(tf.zeros([2])), tf.variable(tf.zeros([2]))];
    const options = { beta1: 0, beta2: 0, epsilon: 0, weightDecay: 0, decoupled: false };
    const update = () => adamUpdate([p], [tf.tensor1d([1, -1])], [m], [v], tf.tensor1d([0.5, 1, 1]), options);
    update();
    const copy = tf.clone(p);
    expect(await p.data()).toEqual(Float32Array.of(0.5, 2.5));
    update();
    expect(await p.data()).toEqual(Float32Array.of(0, 3));
    expect(await copy.data()).toEqual(Float32Array.of(0.5, 2.5));
    p.assign(tf.tensor1d([7, 8]));
    update();
    expect(await p.data()).toEqual(Float32Array.of(6.5, 8.5));
    expect(await m.data()).toEqual(Float32Array.of(1, -1));
  });

  it('moves tensors from and to other backends', async () => {
    await import('@tensorflow/tfjs-backend-cpu');
    await tf.setBackend('cpu');
    const x = tf.tensor1d([1, 2, 3]);
    await tf.setBackend('tensorflow');
    const y = tf.square(x);
    await tf.setBackend('cpu');
    expect(await tf.add(y, 1).data()).toEqual(Float32Array.of(2, 5, 10));
    await tf.setBackend('tensorflow');
  });

  it('starts again after it was stopped', async () => {
    const before = handles();
    await tensorflowEngine.stop();
    await tensorflowEngine.start();
    expect(handles()).toBeLessThan(before);
    expect(
      await tf.conv2d(tf.ones([1, 3, 3, 1]) as tf.Tensor4D, tf.ones([3, 3, 1, 1]) as tf.Tensor4D, 1, 1).data(),
    ).toEqual(Float32Array.of(4, 6, 4, 6, 9, 6, 4, 6, 4));
  });
});
