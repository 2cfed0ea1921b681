import * as tf from '@tensorflow/tfjs-core';
import { type ProductAttributes, type ProductSizes, productSizes } from '@tfjs-ssl/ops';
import { matrixOperand, matrixResult } from '../product/operands.ts';
import type { Epilogue, Product } from '../product/product.ts';
import { runProduct } from '../product/run-product.ts';
import { type Activation, activate } from './activation.ts';
import { areFloat, defineKernel, type GpuKernel, sizeOf } from './kernel.ts';

/** Sizes of a batch of products, each of a's matrices with one of b's. */
interface BatchedProduct extends ProductAttributes, ProductSizes {
  readonly batch: readonly number[];
  /** Leading axes of the operands, as they are broadcast. */
  readonly batchA: readonly number[];
  readonly batchB: readonly number[];
}

/** Sizes of a batched product, or null where there is nothing to compute. */
function sizesOf(a: tf.TensorInfo, b: tf.TensorInfo, attributes: ProductAttributes): BatchedProduct | null {
  const { transposeA, transposeB } = attributes;
  const { rows, depth, columns } = productSizes(a, b, attributes);
  const [batchA, batchB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(batchA, batchB);
  if (rows * depth * columns * tf.util.sizeFromShape(batch) === 0) return null;
  return { rows, depth, columns, batch, batchA, batchB, transposeA, transposeB };
}

/** WGSL expression of an operand's matrix for matrix `group` of the result. */
function matrixIndex(batch: readonly number[], own: readonly number[]): string {
  const terms: string[] = [];
  let [inner, step] = [1, 1];
  for (let axis = 1; axis <= batch.length; axis++) {
    const length = batch.at(-axis) as number;
    const ownLength = own.at(-axis) ?? 1;
    if (ownLength > 1) terms.push(`group / ${inner} % ${length} * ${step}`);
    inner *= length;
    step *= ownLength;
  }
  return terms.length > 0 ? `(${terms.join(' + ')})` : '0';
}

/** The product of `left`, a, and `right`, b. */
function batchedProduct(p: BatchedProduct, epilogue: Epilogue = { bias: false, relu: false }): Product {
  const { rows, depth, columns, batch, batchA, batchB, transposeA, transposeB } = p;
  const groups = tf.util.sizeFromShape([...batch]);
  const start = (own: readonly number[], size: number) => `${matrixIndex(batch, own)} * ${size}`;
  return {
    key: `MatMul ${[rows, depth, columns, transposeA, transposeB, epilogue.bias, epilogue.relu]} ${batchA} ${batchB}`,
    rows,
    columns,
    depth,
    groups,
    left: matrixOperand({
      outer: rows,
      ...(transposeA ? { outerStep: 1, depthStep: rows } : { outerStep: depth, depthStep: 1 }),
      groupStart: start(batchA, rows * depth),
    }),
    right: matrixOperand({
      outer: columns,
      ...(transposeB ? { outerStep: depth, depthStep: 1 } : { outerStep: 1, depthStep: columns }),
      groupStart: start(batchB, columns * depth),
    }),
    result: matrixResult(rows, columns, groups),
    epilogue,
  };
}

const batchMatMul = defineKernel<'a' | 'b', ProductAttributes>(
  'BatchMatMul',
  ({ inputs: { a, b }, attributes, backend }) => {
    const sizes = sizesOf(a, b, attributes);
    if (!sizes || !areFloat(a, b)) return null;
    const shape = [...sizes.batch, sizes.rows, sizes.columns];
    return runProduct(backend, batchedProduct(sizes), { left: a, right: b }, shape);
  },
);

const fusedMatMul = defineKernel<'a' | 'b' | 'bias' | 'preluActivationWeights', ProductAttributes & Activation>(
  '_FusedMatMul',
  ({ inputs: { a, b, bias, preluActivationWeights }, attributes, backend }) => {
    const sizes = sizesOf(a, b, attributes);
    if (!sizes || !areFloat(a, b)) return null;
    if (bias && (!areFloat(bias) || sizeOf(bias) !== sizes.columns)) return null;
    const relu = attributes.activation === 'relu';
    const product = batchedProduct(sizes, { bias: bias !== undefined, relu });
    const shape = [...sizes.batch, sizes.rows, sizes.columns];
    const c = runProduct(backend, product, { left: a, right: b, ...(bias ? { bias } : {}) }, shape);
    return relu ? c : activate(backend, c, attributes, preluActivationWeights);
  },
);

/** Matrix products. */
export const matrixProductKernels: readonly GpuKernel[] = [batchMatMul, fusedMatMul];
