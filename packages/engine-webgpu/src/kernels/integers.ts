// TensorFlow.js's kernels read int32 as float32, in which different integers are equal from 2^24 on. These here are exact.
import * as tf from '@tensorflow/tfjs-core';
import type { GpuBackend } from '../backend.ts';
import { type Binding, dispatch, workgroupGrid } from '../dispatch.ts';
import { type UniformValue, u32 } from '../uniform-cache.ts';
import { defineKernel, type GpuKernel } from './kernel.ts';

const THREADS = 256;

/** Steps from element to element of a tensor along each axis of a shape that it is broadcast to. */
function stepsIn(shape: readonly number[], of: readonly number[]): number[] {
  const own = [...Array(shape.length - of.length).fill(1), ...of] as number[];
  return own.map((length, axis) => (length === 1 ? 0 : own.slice(axis + 1).reduce((size, next) => size * next, 1)));
}

const named = (name: string, values: readonly number[]): Record<string, UniformValue> =>
  Object.fromEntries(values.map((value, axis) => [`${name}${axis}`, u32(value)]));

/** How two tensors lie along the axes of a shape. */
interface Steps {
  readonly first: readonly number[];
  readonly second: readonly number[];
}

/**
 * Runs code for every place of a shape, with `i`, the number of the place, and `at`, which elements of two tensors belong to it.
 *
 * @param statement - WGSL.
 * @param more - further uniforms.
 */
function forEachPlace(
  backend: GpuBackend,
  key: string,
  shape: readonly number[],
  { first, second }: Steps,
  bindings: readonly Binding[],
  statement: string,
  more: Readonly<Record<string, UniformValue>> = {},
): void {
  const size = shape.reduce((product, length) => product * length, 1);
  if (size === 0) return;
  const axes = shape.map((_, axis) => axis).reverse();
  dispatch(backend, {
    key: `${key} int32 ${shape.length}`,
    bindings: bindings.map((binding) => ({ type: 'array<i32>', ...binding })),
    uniforms: { size: u32(size), ...more, ...named('length', shape), ...named('a', first), ...named('b', second) },
    code: () => `
  @compute @workgroup_size(${THREADS})
  fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = id.x + id.y * groups.x * ${THREADS};
    if (i >= uniforms.size) { return; }
    var rest = i;
    var at = vec2u();
    ${axes
      .map((axis) => {
        const length = `uniforms.length${axis}`;
        return `at += rest % ${length} * vec2u(uniforms.a${axis}, uniforms.b${axis}); rest /= ${length};`;
      })
      .join('\n    ')}
    ${statement}
  }`,
    workgroups: workgroupGrid(backend, Math.ceil(size / THREADS)),
  });
}

const comparison = (kernelName: string, operator: string): GpuKernel =>
  defineKernel<'a' | 'b'>(kernelName, ({ inputs: { a, b }, backend }) => {
    if (a.dtype !== 'int32' || b.dtype !== 'int32') return null;
    const shape = tf.broadcast_util.assertAndGetBroadcastShape(a.shape, b.shape);
    const output = backend.output(shape, { dtype: 'bool' });
    forEachPlace(
      backend,
      kernelName,
      shape,
      { first: stepsIn(shape, a.shape), second: stepsIn(shape, b.shape) },
      [
        { name: 'a', from: a },
        { name: 'b', from: b },
        { name: 'output', from: output, access: 'read_write' },
      ],
      `output[i] = select(0, 1, a[at.x] ${operator} b[at.y]);`,
    );
    return output;
  });

/** A tensor, and where in it a region begins. */
interface Region {
  readonly tensor: tf.TensorInfo;
  readonly begin: readonly number[];
}

/** Copies a region of a shape from one tensor to another. */
function copyRegion(backend: GpuBackend, shape: readonly number[], from: Region, to: Region): void {
  const [first, second] = [from, to].map(({ tensor }) => stepsIn(tensor.shape, tensor.shape)) as [number[], number[]];
  const start = (steps: readonly number[], { begin }: Region) =>
    u32(begin.reduce((sum, place, axis) => sum + place * steps[axis]!, 0));
  forEachPlace(
    backend,
    'CopyRegion',
    shape,
    { first, second },
    [
      { name: 'x', from: from.tensor },
      { name: 'y', from: to.tensor, access: 'read_write' },
    ],
    'y[uniforms.to + at.y] = x[uniforms.origin + at.x];',
    { origin: start(first, from), to: start(second, to) },
  );
}

type SliceAttributes = { readonly begin: number | number[]; readonly size?: number | number[] };

const slice = defineKernel<'x', SliceAttributes>('Slice', ({ inputs: { x }, attributes, backend }) => {
  if (x.dtype !== 'int32') return null;
  const params = tf.slice_util.parseSliceParams(x as tf.Tensor, attributes.begin, attributes.size);
  const [begin, size] = params as [number[], number[]];
  tf.slice_util.assertParamsValid(x, begin, size);
  const output = backend.output(size, { dtype: 'int32' });
  copyRegion(backend, size, { tensor: x, begin }, { tensor: output, begin: size.map(() => 0) });
  return output;
});

const concat = defineKernel<string, { readonly axis: number }>('Concat', ({ inputs, attributes, backend }) => {
  const tensors = Object.values(inputs);
  if (tensors.some(({ dtype }) => dtype !== 'int32')) return null;
  const shapes = tensors.map(({ shape }) => shape);
  const axis = tf.util.parseAxisParam(attributes.axis, shapes[0] as number[])[0] as number;
  const output = backend.output(tf.backend_util.computeOutShape(shapes, axis), { dtype: 'int32' });
  let next = 0;
  for (const tensor of tensors) {
    const origin = tensor.shape.map(() => 0);
    copyRegion(
      backend,
      tensor.shape,
      { tensor, begin: origin },
      { tensor: output, begin: origin.map((place, i) => (i === axis ? next : place)) },
    );
    next += tensor.shape[axis] as number;
  }
  return output;
});

export const integerKernels: readonly GpuKernel[] = [
  comparison('Equal', '=='),
  comparison('NotEqual', '!='),
  comparison('Less', '<'),
  comparison('LessEqual', '<='),
  comparison('Greater', '>'),
  comparison('GreaterEqual', '>='),
  slice,
  concat,
];
