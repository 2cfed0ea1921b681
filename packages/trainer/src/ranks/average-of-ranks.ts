import * as tf from '@tensorflow/tfjs-core';
import type { World } from '@tfjs-ssl/ops';
import type { NamedTensors } from '../types.ts';
import { sumAsBfloat16 } from './sum-as-bfloat16.ts';

/** Numbers that gradients travel as. */
export type GradientExchange = 'float32' | 'bfloat16';

/** Elements that travel in one exchange, 32 MiB of float32: what the MPI library holds besides. */
const bucketLength = 2 ** 23;

/**
 * Means over all ranks: of gradients in one flat buffer, bucket after bucket, and of small tensors, which always travel in full.
 *
 * @param gradients - float32; not disposed.
 * @param small - float32; not disposed.
 * @returns new tensors of the same shapes, the same bits on all ranks.
 */
export function averageOfRanks(
  world: World,
  gradients: NamedTensors,
  small: readonly tf.Tensor[],
  exchange: GradientExchange = 'float32',
  length: number = bucketLength,
): { gradients: NamedTensors; small: tf.Tensor[] } {
  const few = flatten(small, 1 / world.size);
  world.allReduce(few);
  const entries = Object.entries(gradients);
  const tensors = entries.map(([, gradient]) => gradient);
  const flat = flatten(tensors, 1 / world.size);
  for (let from = 0; from < flat.length; from += length) {
    const bucket = flat.subarray(from, from + length);
    if (exchange === 'float32') world.allReduce(bucket);
    else sumAsBfloat16(world, bucket);
  }
  const averaged = unflatten(tensors, flat);
  return {
    gradients: Object.fromEntries(entries.map(([name], i) => [name, averaged[i] as tf.Tensor])),
    small: unflatten(small, few),
  };
}

/** All elements in one array, times a factor. */
function flatten(tensors: readonly tf.Tensor[], factor: number): Float32Array {
  const flat = new Float32Array(tensors.reduce((sum, { size }) => sum + size, 0));
  let next = 0;
  for (const tensor of tensors) {
    const values = tensor.dataSync();
    for (let i = 0; i < values.length; i++) flat[next + i] = (values[i] as number) * factor;
    next += values.length;
  }
  return flat;
}

function unflatten(like: readonly tf.Tensor[], flat: Float32Array): tf.Tensor[] {
  let next = 0;
  return like.map(({ shape, size }) => {
    next += size;
    return tf.tensor(flat.subarray(next - size, next), shape, 'float32');
  });
}
