import * as tf from '@tensorflow/tfjs-core';
import { type ProductAttributes, type ProductSizes, productSizes } from '@tfjs-ssl/ops';
import type { Runtime } from '../runtime.ts';
import { convolution, inputGradient } from './convolution.ts';
import { canFinish, type EpilogueAttributes, type EpilogueInput, finish } from './epilogue.ts';
import { filterGradient } from './filter-gradient.ts';
import { areFloat, defineKernel, type SimdKernel, sizeOf } from './kernel.ts';
import { productGeometry } from './product-geometry.ts';
import { transpose } from './transpose.ts';

/** Sizes of C = A B after transposition. */
interface ProductShape extends ProductSizes, ProductAttributes {}

/** C = A B on addresses: a 1x1 convolution of 1x1 images, whose three passes are the three forms that need no transposition. */
export function multiply(runtime: Runtime, p: ProductShape, a: number, b: number, c: number): void {
  const { rows, depth, columns } = p;
  if (p.transposeA && p.transposeB) {
    runtime.withTemporary(rows * depth * 4, (turned) => {
      transpose(runtime, { batch: 1, rows: depth, columns: rows, input: a, output: turned });
      inputGradient(runtime, productGeometry(rows, columns, depth), turned, b, c);
    });
  } else if (p.transposeA) filterGradient(runtime, productGeometry(depth, rows, columns), a, b, c);
  else if (p.transposeB) inputGradient(runtime, productGeometry(rows, columns, depth), a, b, c);
  else convolution(runtime, productGeometry(rows, depth, columns), a, b, c);
}

/** Shape of a batched product and how its operands are laid out, or null where there is nothing to compute. */
function productOf(a: tf.TensorInfo, b: tf.TensorInfo, { transposeA, transposeB }: ProductAttributes) {
  const { rows, depth, columns } = productSizes(a, b, { transposeA, transposeB });
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  if (rows * depth * columns * tf.util.sizeFromShape(batch) === 0) return null;
  return { product: { rows, depth, columns, transposeA, transposeB }, batch, shape: [...batch, rows, columns] };
}

/** Index of an operand's matrix for each matrix of the result. */
function matrixIndices(batch: readonly number[], own: readonly number[]): number[] {
  const count = batch.reduce((size, length) => size * length, 1);
  return Array.from({ length: count }, (_, i) => {
    let [rest, index, step] = [i, 0, 1];
    for (let axis = 1; axis <= batch.length; axis++) {
      const length = batch.at(-axis)!;
      const ownLength = own.at(-axis) ?? 1;
      if (ownLength > 1) index += (rest % length) * step;
      step *= ownLength;
      rest = Math.floor(rest / length);
    }
    return index;
  });
}

const batchMatMul = defineKernel<'a' | 'b', ProductAttributes>(
  'BatchMatMul',
  ({ inputs: { a, b }, attributes, backend }) => {
    const plan = productOf(a, b, attributes);
    if (!plan || !areFloat(a, b)) return null;
    const { info, address } = backend.output(plan.shape);
    const { product, batch } = plan;
    const [addressA, addressB] = [backend.address(a), backend.address(b)];
    const indicesB = matrixIndices(batch, b.shape.slice(0, -2));
    matrixIndices(batch, a.shape.slice(0, -2)).forEach((indexA, i) => {
      const from = addressA + indexA * product.rows * product.depth * 4;
      const by = addressB + indicesB[i]! * product.depth * product.columns * 4;
      multiply(backend.runtime, product, from, by, address + i * product.rows * product.columns * 4);
    });
    return info;
  },
);

const fusedMatMul = defineKernel<'a' | 'b' | EpilogueInput, ProductAttributes & EpilogueAttributes>(
  '_FusedMatMul',
  ({ inputs, attributes, backend }) => {
    const { a, b } = inputs;
    const plan = productOf(a, b, attributes);
    if (!plan || !areFloat(a, b) || sizeOf({ shape: plan.batch }) !== 1 || !canFinish(inputs)) return null;
    const output = backend.output(plan.shape);
    multiply(backend.runtime, plan.product, backend.address(a), backend.address(b), output.address);
    return finish(backend, output, inputs, attributes);
  },
);

/** Matrix products. */
export const matrixProductKernels: readonly SimdKernel[] = [batchMatMul, fusedMatMul];
