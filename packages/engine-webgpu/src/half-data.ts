import type * as tf from '@tensorflow/tfjs-core';
import type { GpuBackend } from './backend.ts';
import { dispatch, workgroupGrid } from './dispatch.ts';
import type { DataId } from './stock-backend.ts';
import { u32 } from './uniform-cache.ts';

const THREADS = 256;

/**
 * Turns data that lie as float16 into float32, in memory of their own, for whatever takes float32: stock kernels, reads, writes in place.
 *
 * The old memory goes the way of every tensor that is disposed while recorded work refers to it. Data that have not been written yet have
 * none, and need only be float32 from now on.
 */
export function widen(backend: GpuBackend, dataId: DataId): void {
  const data = backend.tensorMap.get(dataId);
  const { shape, resource } = data;
  data.half = false;
  if (!resource) return;
  const half = backend.makeTensorInfo(shape, 'float32');
  Object.assign(backend.tensorMap.get(half.dataId), { half: true, resource });
  data.resource = null;
  copyWider(backend, half, { dataId, shape, dtype: 'float32' });
  backend.disposeData(half.dataId);
}

function copyWider(backend: GpuBackend, half: tf.TensorInfo, wide: tf.TensorInfo): void {
  const size = half.shape.reduce((product, length) => product * length, 1) / 4;
  dispatch(backend, {
    key: 'Widen',
    bindings: [
      { name: 'half', from: half, value: 'vec4f' },
      { name: 'wide', from: wide, type: 'array<vec4f>', access: 'read_write' },
    ],
    uniforms: { size: u32(size) },
    code: (memory) => `
  @compute @workgroup_size(${THREADS})
  fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = id.x + id.y * groups.x * ${THREADS};
    if (i < uniforms.size) { wide[i] = ${memory.load('half', 'i')}; }
  }`,
    workgroups: workgroupGrid(backend, Math.ceil(size / THREADS)),
  });
}
