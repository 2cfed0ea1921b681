import * as tf from '@tensorflow/tfjs-core';
import { adamUpdate } from '@tfjs-ssl/ops';
import { describeEngines, expectClose } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import type { GpuBackend } from '../backend.ts';

const normal = (shape: number[], seed: number): tf.Tensor => tf.randomNormal(shape, 0, 1, 'float32', seed);

describeEngines('the kernel AdamUpdate', () => {
  // more parameters than one dispatch binds, of sizes below, at and above a workgroup
  const shapes = [[1], [255], [256], [257], [3, 3, 16, 20], [], [1000]];
  const options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, decoupled: false };

  it('updates many parameters as it updates each alone', async () => {
    const make = () => {
      const start = (seed: number, map = (x: tf.Tensor) => x) =>
        shapes.map((shape, i) => tf.tidy(() => tf.variable(map(normal(shape, seed + i)))));
      return { p: start(100), m: start(200), v: start(300, tf.square) };
    };
    const gradients = shapes.map((shape, i) => normal(shape, 400 + i));
    const scalars = tf.tensor1d([0.01, 1 - 0.9 ** 3, 1 - 0.999 ** 3]);
    const [together, apart] = [make(), make()];
    adamUpdate(together.p, gradients, together.m, together.v, scalars, options);
    shapes.forEach((_, i) => {
      const { p, m, v } = apart;
      adamUpdate([p[i]!], [gradients[i]!], [m[i]!], [v[i]!], scalars, options);
    });
    for (const list of ['p', 'm', 'v'] as const) {
      for (const [i, variable] of together[list].entries()) {
        const expected = await (apart[list][i] as tf.Variable).data();
        expect(await variable.data()).toEqual(expected);
        expect(expected.every(Number.isFinite)).toBe(true);
      }
    }
    const before = tf.tidy(() => make().p[4] as tf.Variable);
    const moved = tf.sub(together.p[4] as tf.Tensor, before);
    expect((await tf.max(tf.abs(moved)).data())[0]).toBeGreaterThan(1e-3);
  });

  it('follows the composition of TensorFlow.js ops', async () => {
    const [p, m, v] = [normal([70, 9], 1), normal([70, 9], 2), tf.square(normal([70, 9], 3))];
    const g = normal([70, 9], 4);
    const variables = [p, m, v].map((x) => tf.variable(x));
    adamUpdate([variables[0]!], [g], [variables[1]!], [variables[2]!], tf.tensor1d([0.1, 0.3, 0.2]), options);
    const decayed = tf.add(g, tf.mul(p, 0.01));
    const first = tf.add(tf.mul(m, 0.9), tf.mul(decayed, 1 - 0.9));
    const second = tf.add(tf.mul(v, 0.999), tf.mul(tf.square(decayed), 1 - 0.999));
    const step = tf.div(tf.mul(first, 0.1 / 0.3), tf.add(tf.div(tf.sqrt(second), Math.sqrt(0.2)), 1e-8));
    await expectClose(await variables[0]!.data(), await tf.sub(p, step).data(), { atol: 1e-5, rtol: 1e-5 });
    await expectClose(await variables[1]!.data(), await first.data(), { atol: 1e-6, rtol: 1e-5 });
    await expectClose(await variables[2]!.data(), await second.data(), { atol: 1e-6, rtol: 1e-5 });
  });

  it('takes as few dispatches as the device binds buffers for', () => {
    const backend = tf.backend() as unknown as GpuBackend;
    const perDispatch = Math.floor(backend.device.limits.maxStorageBuffersPerShaderStage / 4);
    const make = () => Array.from({ length: 5 }, () => tf.tidy(() => tf.variable(tf.add(tf.zeros([300]), 1))));
    const [p, m, v] = [make(), make(), make()];
    const gradients = make();
    const scalars = tf.tensor1d([0.1, 0.1, 0.1]);
    backend.bufferOf(scalars);
    backend.flush();
    adamUpdate(p, gradients, m, v, scalars, options);
    expect(backend.dispatchCountInPass).toBe(Math.ceil(5 / perDispatch));
  });
});
