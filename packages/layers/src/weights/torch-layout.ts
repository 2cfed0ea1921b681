import * as tf from '@tensorflow/tfjs-core';

/** Order of TensorFlow.js's axes in PyTorch's weight, by rank: OIHW of HWIO, [out, in] of [in, out]. */
const toTorch: Readonly<Record<number, number[]>> = { 4: [3, 2, 0, 1], 2: [1, 0] };
const fromTorch: Readonly<Record<number, number[]>> = { 4: [2, 3, 1, 0], 2: [1, 0] };

function permutation(
  name: string,
  rank: number,
  permutations: Readonly<Record<number, number[]>>,
): number[] | undefined {
  return name.endsWith('.weight') ? permutations[rank] : undefined;
}

/** Shape that PyTorch gives to the weight of a name. */
export function torchShape(name: string, shape: readonly number[]): number[] {
  const order = permutation(name, shape.length, toTorch);
  return order ? order.map((axis) => shape[axis] as number) : [...shape];
}

/** A new tensor with a weight's values in PyTorch's layout. */
export function toTorchLayout(name: string, weight: tf.Tensor): tf.Tensor {
  const order = permutation(name, weight.rank, toTorch);
  return order ? tf.transpose(weight, order) : tf.clone(weight);
}

/** A new tensor with a weight's values in the layout of TensorFlow.js. */
export function fromTorchLayout(name: string, weight: tf.Tensor): tf.Tensor {
  const order = permutation(name, weight.rank, fromTorch);
  return order ? tf.transpose(weight, order) : tf.clone(weight);
}
