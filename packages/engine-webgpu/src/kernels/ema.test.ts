import * as tf from '@tensorflow/tfjs-core';
import { emaUpdate } from '@tfjs-ssl/ops';
import { describeEngines } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import type { GpuBackend } from '../backend.ts';

describeEngines('the kernel EmaUpdate', () => {
  it('takes as few dispatches as the device binds buffers for', async () => {
    const backend = tf.backend() as unknown as GpuBackend;
    const perDispatch = Math.floor(backend.device.limits.maxStorageBuffersPerShaderStage / 2);
    const make = (value: number) =>
      Array.from({ length: 11 }, () => tf.tidy(() => tf.variable(tf.add(tf.zeros([300]), value))));
    const [averages, values] = [make(1), make(3)];
    const share = tf.scalar(0.25);
    backend.bufferOf(share);
    backend.flush();
    emaUpdate(averages, values, share);
    expect(backend.dispatchCountInPass).toBe(Math.ceil(11 / perDispatch));
    for (const average of averages) expect([...(await average.data())]).toEqual(new Array(300).fill(1.5));
  });
});
