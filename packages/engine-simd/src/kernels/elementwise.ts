import * as tf from '@tensorflow/tfjs-core';
import type { Runtime } from '../runtime.ts';
import { BINARY, UNARY } from '../task-ids.ts';
import { areFloat, ceilDiv, defineKernel, type SimdKernel, sizeOf } from './kernel.ts';

/** Functions of one tensor, in the order of `scripts/generate-elementwise.mjs`. */
const unaryOperations = [
  'Relu',
  'Step',
  'Square',
  'Sqrt',
  'Rsqrt',
  'Neg',
  'Abs',
  'Reciprocal',
  'Exp',
  'Log',
  'Relu6',
  'Sigmoid',
  'Silu',
] as const;

/** Functions of two tensors, in the order there. */
const binaryOperations = [
  'Add',
  'Sub',
  'Multiply',
  'RealDiv',
  'Maximum',
  'Minimum',
  'SquaredDifference',
  'SquareGrad',
  'ReluGrad',
  'SigmoidGrad',
  'SiluGrad',
] as const;

type UnaryOperation = (typeof unaryOperations)[number];
type BinaryOperation = (typeof binaryOperations)[number];

/** Elements of a task. */
const BLOCK = 16384;

/** output = f(input), on addresses. */
export function unary(runtime: Runtime, operation: UnaryOperation, input: number, output: number, size: number): void {
  const block = size > 2 * BLOCK ? BLOCK : size;
  runtime.runOnce(ceilDiv(size, block), UNARY, unaryOperations.indexOf(operation), input, output, size, block);
}

/** An operand of {@link binary}. */
export interface Operand {
  readonly address: number;
  readonly shape: readonly number[];
}

/** An axis of the result and by how many elements the operands advance along it. */
export interface Axis {
  length: number;
  readonly a: number;
  readonly b: number;
}

/** Axes of a broadcast, the innermost first; neighbours along which both operands advance evenly are one axis. */
export function broadcastAxes(a: readonly number[], b: readonly number[], shape: readonly number[]): Axis[] {
  const axes: Axis[] = [];
  let [stepA, stepB] = [1, 1];
  for (let i = 1; i <= shape.length; i++) {
    const length = shape.at(-i)!;
    const [lengthA, lengthB] = [a.at(-i) ?? 1, b.at(-i) ?? 1];
    if (i > a.length) stepA = 0;
    if (i > b.length) stepB = 0;
    if (length > 1) {
      const axis = { length, a: lengthA === 1 ? 0 : stepA, b: lengthB === 1 ? 0 : stepB };
      const last = axes.at(-1);
      if (last && axis.a === last.a * last.length && axis.b === last.b * last.length) last.length *= length;
      else axes.push(axis);
    }
    stepA *= lengthA;
    stepB *= lengthB;
  }
  return axes;
}

/** output = f(a, b) with broadcasting to `shape`. */
export function binary(
  runtime: Runtime,
  operation: BinaryOperation,
  a: Operand,
  b: Operand,
  output: number,
  shape: readonly number[],
): void {
  const [inner = { length: 1, a: 0, b: 0 }, ...outer] = broadcastAxes(a.shape, b.shape, shape);
  const rows = outer.reduce((size, { length }) => size * length, 1);
  const innerBlock = inner.length > 2 * BLOCK ? BLOCK : inner.length;
  const rowBlock = Math.max(1, Math.floor(BLOCK / inner.length));
  runtime.runOnce(
    ceilDiv(inner.length, innerBlock) * ceilDiv(rows, rowBlock),
    ...[BINARY, binaryOperations.indexOf(operation), a.address, b.address, output, inner.length, inner.a, inner.b],
    ...[innerBlock, rows, rowBlock, outer.length],
    ...outer.flatMap((axis) => [axis.length, axis.a, axis.b]),
  );
}

const unaryKernel = (operation: UnaryOperation): SimdKernel =>
  defineKernel<'x', { alpha?: number }>(operation, ({ inputs: { x }, attributes, backend }) => {
    if (!areFloat(x) || sizeOf(x) === 0 || (operation === 'Step' && attributes.alpha)) return null;
    const { info, address } = backend.output(x.shape);
    unary(backend.runtime, operation, backend.address(x), address, sizeOf(x));
    return info;
  });

const binaryKernel = (operation: BinaryOperation): SimdKernel =>
  defineKernel<'a' | 'b'>(operation, ({ inputs: { a, b }, backend }) => {
    if (!areFloat(a, b)) return null;
    const shape = tf.util.arraysEqual(a.shape, b.shape)
      ? a.shape
      : tf.backend_util.assertAndGetBroadcastShape(a.shape, b.shape);
    if (tf.util.sizeFromShape(shape) === 0) return null;
    const { info, address } = backend.output(shape);
    const operand = (t: tf.TensorInfo): Operand => ({ address: backend.address(t), shape: t.shape });
    binary(backend.runtime, operation, operand(a), operand(b), address, shape);
    return info;
  });

/** Sum of many tensors of one shape, from the first to the last. */
const addN = defineKernel<string>('AddN', ({ inputs, backend }) => {
  const [first, ...others] = Object.values(inputs) as [tf.TensorInfo, ...tf.TensorInfo[]];
  if (!areFloat(first, ...others) || sizeOf(first) === 0 || others.length === 0) return null;
  const { info, address } = backend.output(first.shape);
  const shape = first.shape;
  others.reduce((sum, tensor) => {
    binary(
      backend.runtime,
      'Add',
      { address: sum, shape },
      { address: backend.address(tensor), shape },
      address,
      shape,
    );
    return address;
  }, backend.address(first));
  return info;
});

/** Element-wise functions. */
export const elementwiseKernels: readonly SimdKernel[] = [
  ...unaryOperations.map(unaryKernel),
  ...binaryOperations.map(binaryKernel),
  addN,
];
