import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { GpuBackend } from './backend.ts';
import { dispatch, workgroupGrid } from './dispatch.ts';
import { webgpuEngine } from './engine.ts';
import { u32 } from './uniform-cache.ts';

afterEach(() => webgpuEngine.stop());
afterEach(() => vi.unstubAllEnvs());

const backend = (): GpuBackend => tf.backend() as unknown as GpuBackend;

describe('the search for a GPU', () => {
  it('refuses software unless it is asked for', async () => {
    vi.stubEnv('TFJS_SSL_SOFTWARE_GPU', undefined);
    const { available: asked } = await webgpuEngine.probe({ softwareAdapter: true });
    const unasked = await webgpuEngine.probe();
    const { device } = asked ? await webgpuEngine.start({ softwareAdapter: true }) : { device: '' };
    if (unasked.available) {
      expect(device).not.toMatch(/software/);
    } else {
      expect(asked).toBe(true);
      expect(device).toMatch(/^software on the processor, not a GPU/);
      expect(unasked.reason).toMatch(
        /shows no GPU|no Vulkan driver|that is software on the processor. Set TFJS_SSL_SOFTWARE_GPU=1/,
      );
      await webgpuEngine.stop();
      await expect(webgpuEngine.start()).rejects.toThrow(
        /^engine-webgpu: (Linux shows no GPU|no Vulkan driver|the only adapter is)/,
      );
    }
  });

  it('takes software where the environment asks for it', async () => {
    vi.stubEnv('TFJS_SSL_SOFTWARE_GPU', '1');
    expect(await webgpuEngine.probe()).toEqual({ available: true, gpu: expect.any(Boolean) });
    const { name, precisions, version } = await webgpuEngine.start();
    expect({ name, precisions: precisions[0] }).toEqual({ name: 'webgpu', precisions: 'float32' });
    expect(version).toBe('engine-webgpu 0.1.0 on TensorFlow.js webgpu backend 4.22.0');
  });

  it('leaves the globals of the process as they are, except for the names of WebGPU', async () => {
    const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
    const drivers = process.env.VK_ICD_FILENAMES;
    await webgpuEngine.start({ softwareAdapter: true });
    expect(Object.getOwnPropertyDescriptor(globalThis, 'navigator')).toEqual(before);
    expect(process.env.VK_ICD_FILENAMES).toBe(drivers);
  });
});

describe('recorded work', () => {
  const increment = (x: tf.TensorInfo, by: number): void =>
    dispatch(backend(), {
      key: 'Increment',
      bindings: [{ name: 'x', from: x, access: 'read_write' }],
      uniforms: { by: u32(by) },
      code: () =>
        '@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { if (id.x < arrayLength(&x)) { x[id.x] = x[id.x] * 10 + f32(uniforms.by); } }',
      workgroups: [4],
    });

  it('keeps the order of stock kernels and ours, and each run its own numbers', async () => {
    await webgpuEngine.start({ softwareAdapter: true });
    const x = tf.relu(tf.fill([16, 16], 1));
    increment(x, 2);
    const doubled = tf.mul(x, 2);
    increment(x, 3);
    increment(x, 4);
    expect((await doubled.data())[255]).toBe(24);
    expect((await x.data())[255]).toBe(1234);
  });

  it('shows reads what was written in place since the last read', async () => {
    await webgpuEngine.start({ softwareAdapter: true });
    const x = tf.relu(tf.fill([16, 16], 1));
    expect((await x.data())[0]).toBe(1);
    increment(x, 5);
    const inFlight = x.data();
    increment(x, 6);
    expect((await inFlight)[0]).toBe(15);
    expect((await x.data())[0]).toBe(156);
  });

  it('may use tensors that are disposed before it is submitted', async () => {
    await webgpuEngine.start({ softwareAdapter: true });
    const x = tf.relu(tf.fill([16, 16], 7));
    await x.data();
    const copy = tf.tidy(() => {
      const y = backend().output([16, 16]);
      backend().withScratch([16, 16], (scratch) => {
        const run = (from: tf.TensorInfo, to: tf.TensorInfo) =>
          dispatch(backend(), {
            key: 'Copy',
            bindings: [
              { name: 'x', from },
              { name: 'y', from: to, access: 'read_write' },
            ],
            code: () =>
              '@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { y[id.x] = x[id.x]; }',
            workgroups: [4],
          });
        run(x, scratch);
        run(scratch, y);
      });
      return tf.engine().makeTensorFromTensorInfo(y);
    });
    x.dispose();
    const next = tf.tensor(new Float32Array(256).fill(-1), [16, 16]); // an upload takes memory that is free
    tf.relu(next);
    expect((await copy.data())[100]).toBe(7);
    expect(backend().commandEncoder).toBeNull();
  });

  it('is laid out within the limit of workgroups per dimension', async () => {
    await webgpuEngine.start({ softwareAdapter: true });
    const most = backend().device.limits.maxComputeWorkgroupsPerDimension;
    expect(workgroupGrid(backend(), 5)).toEqual([5, 1]);
    const [x, y] = workgroupGrid(backend(), most * 3 + 1);
    expect(x).toBeLessThanOrEqual(most);
    expect(x * y).toBeGreaterThanOrEqual(most * 3 + 1);
    expect(x * y - (most * 3 + 1)).toBeLessThan(y);
  });
});
