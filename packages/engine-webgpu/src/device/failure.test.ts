import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GpuBackend } from '../backend.ts';
import { dispatch } from '../dispatch.ts';
import { webgpuEngine } from '../engine.ts';

let device: string;
beforeEach(async () => {
  ({ device } = await webgpuEngine.start({ softwareAdapter: true }));
});
afterEach(() => webgpuEngine.stop());

const backend = (): GpuBackend => tf.backend() as unknown as GpuBackend;
const messageOf = async (read: Promise<unknown>): Promise<string> =>
  read.then(
    () => 'no error',
    (error: Error) => error.message,
  );

/** Wrong on purpose: one tensor bound for reading and for writing. */
function refusedOperation(): tf.Tensor {
  const x = tf.add(tf.ones([64]), 1);
  dispatch(backend(), {
    key: 'Wrong',
    bindings: [
      { name: 'x', from: x },
      { name: 'y', from: x, access: 'read_write' },
    ],
    code: () => '@compute @workgroup_size(1) fn main() { y[0] = x[1]; }',
    workgroups: [1],
  });
  return x;
}

describe('a device that failed', () => {
  it('rejects the read of what a refused operation should have made, and all that follows', async () => {
    const x = refusedOperation();
    expect(await messageOf(x.data())).toMatch(
      /^engine-webgpu: the GPU refused an operation, and every result since then is worthless: .*(usage|synchronization scope)/s,
    );
    expect(() => tf.ones([2])).toThrow(/every result since then is worthless/);
    await expect(x.data()).rejects.toThrow(/every result since then is worthless/);
  });

  it('names a kernel whose code does not compile', async () => {
    const run = async () => {
      const x = tf.add(tf.ones([64]), 1);
      dispatch(backend(), {
        key: 'Misspelt',
        bindings: [{ name: 'x', from: x, access: 'read_write' }],
        code: () => '@compute @workgroup_size(1) fn main() { x[0] = undefinedName; }',
        workgroups: [1],
      });
      await x.data();
    };
    expect(await messageOf(run())).toMatch(/refused an operation.*undefinedName.*Misspelt/s);
  });

  it('says that the device was lost', async () => {
    const x = tf.add(tf.ones([64]), 1);
    backend().device.destroy();
    expect(await messageOf(x.data())).toMatch(
      /^engine-webgpu: the GPU was lost \(destroyed\): .*start the engine again/,
    );
    expect(() => tf.ones([2])).toThrow(/the GPU was lost/);
  });

  it('says that its memory is exhausted', async ({ skip }) => {
    skip(/llvmpipe/.test(device), 'this driver promises memory without end');
    const { maxBufferSize, maxStorageBufferBindingSize } = backend().device.limits;
    const elements = Math.floor(Math.min(maxBufferSize, maxStorageBufferBindingSize) / 4);
    const fill = async () => {
      for (let i = 0; i < 4096; i++) backend().output([elements]); // never written, so that no memory is really used
      await tf.relu(tf.fill([64, 64], 1)).data();
    };
    expect(await messageOf(fill())).toMatch(
      /^engine-webgpu: the memory of the GPU is exhausted: .* \(\d+\.\d MiB of tensors are in use\)\. Lower the batch size/,
    );
  });

  it('refuses a tensor that no kernel could bind', () => {
    const { maxStorageBufferBindingSize } = backend().device.limits;
    const size = maxStorageBufferBindingSize / 4 + 1;
    expect(() => tf.fill([size], 0)).toThrow(
      /^engine-webgpu: a tensor must have at most [\d.]+ MiB, which is what this GPU binds, got [\d.]+ MiB\. Split it/,
    );
    backend().failure.check();
  });

  it('is gone after a stop, and a new start has a new one', async () => {
    const x = tf.add(tf.ones([4]), 1);
    await webgpuEngine.stop();
    expect(() => x.dataSync()).toThrowErrorMatchingInlineSnapshot(
      `[Error: engine-webgpu: the engine has been stopped and its tensors are gone. Call \`await startEngine('webgpu')\` to start it again.]`,
    );
    await webgpuEngine.start({ softwareAdapter: true });
    expect(Array.from(await tf.add(tf.ones([2]), 1).data())).toEqual([2, 2]);
  });

  it('cannot be read synchronously, and says what to do', () => {
    const x = tf.relu(tf.fill([64, 64], 1));
    expect(() => x.dataSync()).toThrowErrorMatchingInlineSnapshot(
      `[Error: engine-webgpu: a tensor on the GPU cannot be read synchronously in Node. Use \`await tensor.data()\` or \`await tensor.array()\`.]`,
    );
  });
});
