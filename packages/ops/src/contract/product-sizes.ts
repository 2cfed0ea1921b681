import type * as tf from '@tensorflow/tfjs-core';
import { argumentError, showValue } from '@tfjs-ssl/checks';

/** Attributes that TensorFlow.js gives its matrix products. */
export interface ProductAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** Sizes of a product of matrices after transposition: [rows, depth] times [depth, columns]. */
export interface ProductSizes {
  readonly rows: number;
  readonly depth: number;
  readonly columns: number;
}

/**
 * The sizes of the matrices of a product, for engines that implement the matrix products of TensorFlow.js.
 *
 * @param a - the first operand, shape [..., rows, depth], or [..., depth, rows] if `transposeA`.
 * @param b - the second operand, shape [..., depth, columns], or [..., columns, depth] if `transposeB`.
 * @param attributes - what TensorFlow.js gives the kernel.
 * @returns the sizes of the last two axes.
 * @throws RangeError if the two depths differ.
 */
export function productSizes(a: tf.TensorInfo, b: tf.TensorInfo, attributes: ProductAttributes): ProductSizes {
  const { transposeA, transposeB } = attributes;
  const [rows, depth] = lastTwo(a, transposeA);
  const [depthOfB, columns] = lastTwo(b, transposeB);
  if (depth === depthOfB) return { rows, depth, columns };
  throw argumentError({
    fn: 'matMul',
    argument: 'b',
    required: `have the inner size of a, ${depth} of shape ${showValue(a.shape)} with transposeA ${transposeA}`,
    got: depthOfB,
    shown: `${depthOfB} of shape ${showValue(b.shape)} with transposeB ${transposeB}`,
    advice: 'Transpose or reshape one of them.',
  });
}

function lastTwo({ shape }: tf.TensorInfo, turned: boolean): [number, number] {
  const [first, last] = [shape.at(-2), shape.at(-1)] as [number, number];
  return turned ? [last, first] : [first, last];
}
