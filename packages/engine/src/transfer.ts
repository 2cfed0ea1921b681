import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import { moduleInUse } from './start-engine.ts';

/**
 * Copies the elements of a tensor into an array, for example one that is kept for all steps.
 *
 * @param tensor - float32, any shape; not disposed.
 * @param target - overwritten; as many elements as the tensor has.
 * @throws RangeError if the array has another length; TypeError if the tensor is not float32. Error on engines that can read only asynchronously.
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { readInto, startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('simd');
 * const buffer = new Float32Array(4);
 * readInto(tf.ones([2, 2]), buffer);
 * console.log(buffer);
 * ```
 */
export function readInto(tensor: tf.Tensor, target: Float32Array): void {
  const { dtype, size } = tensor;
  if (dtype !== 'float32') {
    throw argumentError({
      kind: 'type',
      fn: 'readInto',
      argument: 'tensor',
      required: 'be float32',
      got: dtype,
      shown: dtype,
      advice: 'Cast it first.',
    });
  }
  if (target.length !== size) {
    throw argumentError({
      fn: 'readInto',
      argument: 'target',
      required: `have the ${size} elements of the tensor`,
      got: target.length,
      advice: 'Pass a part of it, made by `subarray`.',
    });
  }
  const transfer = moduleInUse()?.transfer;
  if (transfer) transfer.readInto(tensor, target);
  else target.set(tensor.dataSync<'float32'>());
}

/**
 * A tensor with a copy of an array's elements. `tf.tensor` may keep the array itself, which then must not change.
 *
 * @param values - not kept.
 * @param shape - of as many elements.
 * @returns a new float32 tensor, which the caller (or the surrounding `tf.tidy`) disposes.
 * @throws RangeError if the shape has another number of elements.
 * @example
 * ```ts
 * import { startEngine, tensorOf } from '@tfjs-ssl/engine';
 *
 * await startEngine('simd');
 * const buffer = Float32Array.of(1, 2, 3, 4);
 * const square = tensorOf(buffer, [2, 2]);
 * buffer.fill(0);
 * console.log(await square.array()); // [[1, 2], [3, 4]]
 * ```
 */
export function tensorOf(values: Float32Array, shape: readonly number[]): tf.Tensor {
  if (shape.some((side) => side < 0) || tf.util.sizeFromShape([...shape]) !== values.length) {
    throw argumentError({
      fn: 'tensorOf',
      argument: 'shape',
      required: `have ${values.length} elements, as the array has`,
      got: shape,
      advice: 'Pass a part of the array, made by `subarray`.',
    });
  }
  return moduleInUse()?.transfer?.tensorOf(values, shape) ?? tf.tensor(values.slice(), [...shape], 'float32');
}
