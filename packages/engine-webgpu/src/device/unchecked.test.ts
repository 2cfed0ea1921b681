import * as tf from '@tensorflow/tfjs-core';
import { afterEach, expect, it } from 'vitest';
import type { GpuBackend } from '../backend.ts';
import { dispatch } from '../dispatch.ts';
import { webgpuEngine } from '../engine.ts';

afterEach(() => webgpuEngine.stop());

/** What a program reads at index 9 of an array of four numbers, 1 to 4. */
async function readBeyond(unchecked: boolean): Promise<number> {
  await webgpuEngine.start({ softwareAdapter: true, unchecked });
  const backend = tf.backend() as unknown as GpuBackend;
  const index = tf.tensor1d([9], 'int32');
  const value = backend.output([1]);
  dispatch(backend, {
    key: 'ReadBeyond',
    bindings: [
      { name: 'index', type: 'array<i32>', from: index },
      { name: 'value', from: value, access: 'read_write' },
    ],
    code: () => `
      var<workgroup> numbers: array<f32, 4>;
      var<workgroup> others: array<f32, 64>;
      @compute @workgroup_size(1) fn main() {
        for (var i = 0; i < 4; i++) { numbers[i] = f32(i + 1); }
        for (var i = 0; i < 64; i++) { others[i] = f32(100 + i); }
        workgroupBarrier();
        value[0] = numbers[index[0]];
      }`,
    workgroups: [1],
  });
  const result = tf.engine().makeTensorFromTensorInfo(value);
  return (await result.data())[0] as number;
}

it('keeps indices within their arrays, unless it is told not to', async () => {
  expect(await readBeyond(false)).toBe(4);
  await webgpuEngine.stop();
  expect(await readBeyond(true)).not.toBe(4);
});
