import * as tf from '@tensorflow/tfjs-core';
import { floatBits, type Runtime } from '../runtime.ts';
import { REDUCE } from '../task-ids.ts';
import { areFloat, ceilDiv, defineKernel, type SimdKernel, sizeOf } from './kernel.ts';

const operations = ['sum', 'maximum'] as const;

/** A reduction of the middle axis of [outer, length, inner], on addresses. */
interface Reduction {
  readonly operation: (typeof operations)[number];
  readonly input: number;
  readonly output: number;
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
  /** Factor of the result. */
  readonly scale: number;
}

/** Elements that are worth a task. */
const BLOCK = 16384;
const PARTS = 64;

/** Reduces one axis. How it is split is a matter of the shape alone, so that results do not depend on the number of threads. */
export function reduce(runtime: Runtime, { operation, input, output, outer, length, inner, scale }: Reduction): void {
  const innerBlock = inner > BLOCK ? BLOCK : inner;
  const innerBlocks = ceilDiv(inner, innerBlock);
  const parts = Math.max(
    1,
    Math.min(ceilDiv(length * innerBlock, BLOCK), length, Math.floor(PARTS / (outer * innerBlocks))),
  );
  const partLength = ceilDiv(length, parts);
  const used = ceilDiv(length, partLength);
  const group = used > 1 ? 1 : Math.max(1, Math.floor(BLOCK / (length * innerBlock)));
  const code = operations.indexOf(operation);
  const start = (target: number, factor: number) =>
    runtime.runOnce(
      ceilDiv(outer * used, group) * innerBlocks,
      ...[REDUCE, code, input, target, outer, length, inner, used, partLength, group, innerBlock, floatBits(factor)],
    );
  if (used === 1) {
    start(output, scale);
    return;
  }
  runtime.withTemporary(outer * used * inner * 4, (partial) => {
    start(partial, 1);
    const rest = [outer, used, inner, 1, used, outer, inner, floatBits(scale)];
    runtime.runOnce(1, REDUCE, code, partial, output, ...rest);
  });
}

/** Neighbouring axes that are all reduced or all kept, as one; axes of length 1 do not matter. */
interface AxisGroup {
  length: number;
  readonly reduced: boolean;
}

function mergeAxes(shape: readonly number[], axes: readonly number[]): AxisGroup[] {
  const merged: AxisGroup[] = [];
  shape.forEach((length, axis) => {
    if (length === 1) return;
    const reduced = axes.includes(axis);
    const last = merged.at(-1);
    if (last && last.reduced === reduced) last.length *= length;
    else merged.push({ length, reduced });
  });
  return merged;
}

const product = (groups: readonly AxisGroup[]): number => groups.reduce((size, { length }) => size * length, 1);

/** Reduces one group of axes after the other, the last first. */
function reduceGroups(
  runtime: Runtime,
  groups: readonly AxisGroup[],
  how: Pick<Reduction, 'operation' | 'input' | 'output' | 'scale'>,
): void {
  const at = groups.findLastIndex(({ reduced }) => reduced);
  const before = groups.slice(0, at);
  const after = groups.slice(at + 1);
  const sizes = { outer: product(before), length: groups[at]!.length, inner: product(after) };
  if (!before.some(({ reduced }) => reduced)) {
    reduce(runtime, { ...how, ...sizes });
    return;
  }
  runtime.withTemporary(sizes.outer * sizes.inner * 4, (partial) => {
    reduce(runtime, { ...how, ...sizes, output: partial, scale: 1 });
    reduceGroups(runtime, [...before, ...after], { ...how, input: partial });
  });
}

function defineReduction(kernelName: string, operation: Reduction['operation'], mean = false): SimdKernel {
  type Attributes = { axis?: number | number[]; reductionIndices?: number | number[]; keepDims?: boolean };
  return defineKernel<'x', Attributes>(kernelName, ({ inputs: { x }, attributes, backend }) => {
    if (!areFloat(x) || sizeOf(x) === 0) return null;
    const wanted = attributes.axis ?? attributes.reductionIndices ?? x.shape.map((_, i) => i);
    const axes = tf.util.parseAxisParam(wanted, x.shape);
    const [kept, reduced] = tf.backend_util.computeOutAndReduceShapes(x.shape, axes);
    const shape = attributes.keepDims ? tf.backend_util.expandShapeToKeepDim(kept, axes) : kept;
    const { info, address: output } = backend.output(shape);
    const groups = mergeAxes(x.shape, axes);
    const input = backend.address(x);
    if (!groups.some((group) => group.reduced)) {
      backend.runtime.floats(output, sizeOf(x)).set(backend.runtime.floats(input, sizeOf(x)));
    } else {
      const scale = mean ? 1 / tf.util.sizeFromShape(reduced) : 1;
      reduceGroups(backend.runtime, groups, { operation, input, output, scale });
    }
    return info;
  });
}

/** Sums, means and maxima over any axes. */
export const reduceKernels: readonly SimdKernel[] = [
  defineReduction('Sum', 'sum'),
  defineReduction('Mean', 'sum', true),
  defineReduction('Max', 'maximum'),
];
