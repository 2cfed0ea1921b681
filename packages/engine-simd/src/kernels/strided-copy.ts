import * as tf from '@tensorflow/tfjs-core';
import type { Runtime } from '../runtime.ts';
import { STRIDED_COPY } from '../task-ids.ts';
import { areFloat, ceilDiv, defineKernel, type SimdKernel, sizeOf } from './kernel.ts';
import { transpose, turnedMatrices } from './transpose.ts';

/** An axis of a copy and by how many elements input and output advance along it. */
export interface CopyAxis {
  readonly length: number;
  readonly inputStep: number;
  readonly outputStep: number;
}

/** Elements of a task. */
const BLOCK = 16384;

/** Copies values from one layout to another; axes from the innermost of the output on. */
export function stridedCopy(runtime: Runtime, input: number, output: number, axes: readonly CopyAxis[]): void {
  const merged: CopyAxis[] = [];
  for (const axis of axes) {
    if (axis.length === 0) return;
    if (axis.length === 1) continue;
    const last = merged.at(-1);
    const follows =
      last && axis.inputStep === last.inputStep * last.length && axis.outputStep === last.outputStep * last.length;
    if (follows) merged[merged.length - 1] = { ...last, length: last.length * axis.length };
    else merged.push(axis);
  }
  const [inner = { length: 1, inputStep: 1, outputStep: 1 }, ...outer] = merged;
  const rows = outer.reduce((size, { length }) => size * length, 1);
  const rowBlock = Math.max(1, Math.floor(BLOCK / inner.length));
  runtime.runOnce(
    ceilDiv(rows, rowBlock),
    ...[STRIDED_COPY, input, output, inner.length, inner.inputStep, inner.outputStep, rows, rowBlock, outer.length],
    ...outer.flatMap((axis) => [axis.length, axis.inputStep, axis.outputStep]),
  );
}

/** Elements from one position to the next along every axis. */
function stepsOf(shape: readonly number[]): number[] {
  const steps = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) steps[axis] = steps[axis + 1]! * shape[axis + 1]!;
  return steps;
}

/** Axes of a box of the given shape, from the innermost on. */
function boxAxes(shape: readonly number[], inputSteps: readonly number[], outputSteps: readonly number[]): CopyAxis[] {
  return shape
    .map((length, axis) => ({ length, inputStep: inputSteps[axis]!, outputStep: outputSteps[axis]! }))
    .reverse();
}

const tile = defineKernel<'x', { reps: number[] }>('Tile', ({ inputs: { x }, attributes: { reps }, backend }) => {
  if (!areFloat(x) || reps.length !== x.shape.length) return null;
  const { info, address } = backend.output(x.shape.map((length, axis) => length * reps[axis]!));
  const [inputSteps, outputSteps] = [stepsOf(x.shape), stepsOf(info.shape)];
  const axes = x.shape.flatMap((length, axis) => [
    { length: reps[axis]!, inputStep: 0, outputStep: outputSteps[axis]! * length },
    { length, inputStep: inputSteps[axis]!, outputStep: outputSteps[axis]! },
  ]);
  stridedCopy(backend.runtime, backend.address(x), address, axes.reverse());
  return info;
});

const transposition = defineKernel<'x', { perm: number[] }>(
  'Transpose',
  ({ inputs: { x }, attributes: { perm }, backend }) => {
    if (!areFloat(x) || sizeOf(x) === 0) return null;
    const { info, address } = backend.output(perm.map((axis) => x.shape[axis]!));
    const matrices = turnedMatrices(x.shape, perm);
    const input = backend.address(x);
    if (matrices) {
      transpose(backend.runtime, { ...matrices, input, output: address });
    } else {
      const steps = stepsOf(x.shape);
      const inputSteps = perm.map((axis) => steps[axis]!);
      stridedCopy(backend.runtime, input, address, boxAxes(info.shape, inputSteps, stepsOf(info.shape)));
    }
    return info;
  },
);

const slice = defineKernel<'x', { begin: number[]; size: number[] }>(
  'Slice',
  ({ inputs: { x }, attributes, backend }) => {
    const [begin, size] = tf.slice_util.parseSliceParams(x as tf.Tensor, attributes.begin, attributes.size) as [
      number[],
      number[],
    ];
    tf.slice_util.assertParamsValid(x as tf.Tensor, begin, size);
    if (!areFloat(x)) return null;
    const { info, address } = backend.output(size);
    const steps = stepsOf(x.shape);
    const first = begin.reduce((sum, position, axis) => sum + position * steps[axis]!, 0);
    stridedCopy(backend.runtime, backend.address(x) + first * 4, address, boxAxes(size, steps, stepsOf(size)));
    return info;
  },
);

const split = defineKernel<'x', { numOrSizeSplits: number | number[]; axis: number }>(
  'SplitV',
  ({ inputs: { x }, attributes, backend }) => {
    if (!areFloat(x)) return null;
    const axis = tf.util.parseAxisParam(attributes.axis, x.shape)[0] as number;
    const lengths = tf.backend_util.prepareSplitSize(x as tf.Tensor, attributes.numOrSizeSplits, axis);
    const steps = stepsOf(x.shape);
    let position = 0;
    return lengths.map((length) => {
      const shape = x.shape.with(axis, length);
      const { info, address } = backend.output(shape);
      const from = backend.address(x) + position * steps[axis]! * 4;
      stridedCopy(backend.runtime, from, address, boxAxes(shape, steps, stepsOf(shape)));
      position += length;
      return info;
    });
  },
);

const concat = defineKernel<string, { axis: number }>('Concat', ({ inputs, attributes: { axis }, backend }) => {
  const tensors = Object.values(inputs) as [tf.TensorInfo, ...tf.TensorInfo[]];
  if (!areFloat(...tensors)) return null;
  const along = tf.util.parseAxisParam(axis, tensors[0].shape)[0] as number;
  const shapes = tensors.map(({ shape }) => shape);
  tf.backend_util.assertParamsConsistent(shapes, along);
  const { info, address } = backend.output(tf.backend_util.computeOutShape(shapes, along));
  const outputSteps = stepsOf(info.shape);
  let position = 0;
  for (const tensor of tensors) {
    const { shape } = tensor;
    const target = address + position * outputSteps[along]! * 4;
    stridedCopy(backend.runtime, backend.address(tensor), target, boxAxes(shape, stepsOf(shape), outputSteps));
    position += shape[along]!;
  }
  return info;
});

const pad = defineKernel<'x', { paddings: Array<[number, number]>; constantValue: number }>(
  'PadV2',
  ({ inputs: { x }, attributes: { paddings, constantValue }, backend }) => {
    if (!areFloat(x)) return null;
    const shape = paddings.map(([before, after], axis) => before + x.shape[axis]! + after);
    const { info, address } = backend.output(shape);
    if (sizeOf(info) !== sizeOf(x)) backend.runtime.floats(address, sizeOf(info)).fill(constantValue);
    const outputSteps = stepsOf(shape);
    const first = paddings.reduce((sum, [before], axis) => sum + before * outputSteps[axis]!, 0);
    const axes = boxAxes(x.shape, stepsOf(x.shape), outputSteps);
    stridedCopy(backend.runtime, backend.address(x), address + first * 4, axes);
    return info;
  },
);

const reverse = defineKernel<'x', { dims: number | number[] }>(
  'Reverse',
  ({ inputs: { x }, attributes: { dims }, backend }) => {
    if (!areFloat(x) || sizeOf(x) === 0) return null;
    const turned = tf.util.parseAxisParam(dims, x.shape);
    const steps = stepsOf(x.shape);
    const last = turned.reduce((sum, axis) => sum + (x.shape[axis]! - 1) * steps[axis]!, 0);
    const inputSteps = steps.map((step, axis) => (turned.includes(axis) ? -step : step));
    const { info, address } = backend.output(x.shape);
    stridedCopy(backend.runtime, backend.address(x) + last * 4, address, boxAxes(x.shape, inputSteps, steps));
    return info;
  },
);

/** Kernels that move float32 values from one layout to another. */
export const stridedCopyKernels: readonly SimdKernel[] = [tile, transposition, slice, split, concat, pad, reverse];
