import * as tf from '@tensorflow/tfjs-core';
import { readInto, tensorOf } from '@tfjs-ssl/engine';
import type { World } from '@tfjs-ssl/ops';
import type { NamedTensors } from '../types.ts';
import { bfloat16Sum } from './bfloat16-sum.ts';

/** Numbers that gradients travel as. */
export type GradientExchange = 'float32' | 'bfloat16';

/** Elements that travel in one exchange, 32 MiB of float32: what the MPI library holds besides. */
const bucketLength = 2 ** 23;

/**
 * Adds arrays over all ranks, in place, bucket after bucket.
 *
 * @param length - elements of a bucket.
 */
export function sumArrays(
  world: World,
  exchange: GradientExchange = 'float32',
  length: number = bucketLength,
): (flat: Float32Array) => void {
  const sum = exchange === 'float32' ? (bucket: Float32Array) => world.allReduce(bucket) : bfloat16Sum(world);
  return (flat) => {
    for (let from = 0; from < flat.length; from += length) sum(flat.subarray(from, from + length));
  };
}

/**
 * Adds tensors over all ranks: all elements in one flat buffer, which is kept for the next call. See {@link sumArrays}.
 *
 * @returns a function of float32 tensors, not disposed, the same shapes on all ranks. It gives new tensors, the same bits on all ranks.
 */
export function sumOverRanks(
  world: World,
  exchange: GradientExchange = 'float32',
  length?: number,
): (tensors: NamedTensors) => NamedTensors {
  const sum = sumArrays(world, exchange, length);
  let flat = new Float32Array(0);
  return (tensors) => {
    const entries = Object.entries(tensors);
    const total = entries.reduce((count, [, { size }]) => count + size, 0);
    if (flat.length !== total) flat = new Float32Array(total);
    const eachPart = <Result>(use: (tensor: tf.Tensor, part: Float32Array) => Result): [string, Result][] => {
      let end = 0;
      return entries.map(([name, tensor]) => {
        end += tensor.size;
        return [name, use(tensor, flat.subarray(end - tensor.size, end))];
      });
    };
    eachPart(readInto);
    sum(flat);
    return Object.fromEntries(eachPart(({ shape }, part) => tensorOf(part, shape)));
  };
}

/**
 * Means of small tensors over all ranks; they always travel in full.
 *
 * @param tensors - float32, not disposed.
 * @returns new tensors of the same shapes, the same bits on all ranks.
 */
export function meansOverRanks(world: World, tensors: readonly tf.Tensor[]): tf.Tensor[] {
  return tf.tidy(() => {
    const sums = sumOverRanks(world)(Object.fromEntries(tensors.entries()));
    return tensors.map((_, i) => tf.mul(sums[i] as tf.Tensor, 1 / world.size));
  });
}
