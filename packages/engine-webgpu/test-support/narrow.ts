import * as tf from '@tensorflow/tfjs-core';
import { dispatch } from '../src/dispatch.ts';
import { gpu } from './reference.ts';

/** A tensor of the same elements that lie as float16; their number is a multiple of 4. */
export function narrow(tensor: tf.Tensor): tf.Tensor {
  const half = gpu().output(tensor.shape, { half: true });
  const size = tensor.size / 4;
  dispatch(gpu(), {
    key: `Narrow ${size}`,
    bindings: [
      { name: 'wide', from: tensor, type: 'array<vec4f>' },
      { name: 'half', from: half, value: 'vec4f', access: 'read_write' },
    ],
    code: (memory) => `
  @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
    if (id.x < ${size}) { ${memory.store('half', 'id.x', 'wide[id.x]')} }
  }`,
    workgroups: [Math.ceil(size / 64)],
  });
  return tf.engine().makeTensorFromTensorInfo(half);
}
