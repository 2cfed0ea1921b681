import type * as tf from '@tensorflow/tfjs-core';
import { checkNumber } from '@tfjs-ssl/checks';
import { Memory, type Value } from './memory.ts';
import type { ProgramCache } from './program-cache.ts';
import type { Recorder } from './recorder.ts';
import type { DataId, StockBackend } from './stock-backend.ts';
import type { UniformCache, UniformValue } from './uniform-cache.ts';
import type { Work } from './work.ts';

/** A storage buffer that a kernel binds. */
export interface Binding {
  /** Name of the variable in WGSL. */
  readonly name: string;
  /** Its type in WGSL. Default: `'array<f32>'`. */
  readonly type?: string;
  /**
   * Instead of `type`, for code that reads and writes the elements by {@link Memory}: what they are to it. The tensor may lie as float16 then;
   * where a binding does not say so, it is made float32 first.
   */
  readonly value?: Value;
  /**
   * `'read'` (default), or `'read_write'` for outputs and what is changed in place; `'uniform'` for a buffer that the kernel owns, which does
   * not count among the storage buffers. One buffer must not be bound twice where it is written.
   */
  readonly access?: 'read' | 'read_write' | 'uniform';
  /** The tensor, or a buffer that the kernel owns and that lives as long as the engine. */
  readonly from: tf.TensorInfo | GPUBuffer;
  /** First byte that is bound, a multiple of 256. Default 0. */
  readonly offset?: number;
  /** Bytes that are bound. Default: up to the end. */
  readonly size?: number;
}

/** One run of a program. */
export interface Dispatch {
  /** Names the program, for people too (profiles print the part before the first space); holds every number baked into the code. */
  readonly key: string;
  /** Storage buffers in the order of their binding numbers. */
  readonly bindings: readonly Binding[];
  /** Sizes and the like, which the code reads as `uniforms.name`; few different ones per program. Default: none. */
  readonly uniforms?: Readonly<Record<string, UniformValue>>;
  /** WGSL extensions, for example `'f16'`, `'subgroups'`. Default: none. */
  readonly enable?: readonly string[];
  /**
   * WGSL without the declarations of bindings and uniforms; the entry point is `main`. Called when the program is first used, with how the
   * tensors of bindings with a `value` lie in memory.
   */
  readonly code: (memory: Memory) => string;
  /** Workgroups in x, y and z; for many see {@link workgroupGrid}. */
  readonly workgroups: readonly [x: number, y?: number, z?: number];
  readonly work?: Work;
}

/** What running a program needs of the backend; `backend.ts` is where it is made, and says more. */
export interface DispatchingBackend extends StockBackend {
  readonly programs: ProgramCache;
  readonly uniforms: UniformCache;
  readonly recording: Recorder | null;
  settle(dataId: DataId, keepHalf?: boolean): void;
  isHalf(dataId: DataId): boolean;
  bufferOf(tensor: tf.TensorInfo): GPUBuffer;
  halfBufferOf(tensor: tf.TensorInfo): GPUBuffer;
  beforeWrite(dataId: DataId): void;
  flush(): void;
}

/**
 * Records one run of a program after all work recorded before it, by TensorFlow.js's own kernels too.
 *
 * The one way by which kernels of this engine run. Tensors that have not been uploaded yet are uploaded; those that are disposed
 * afterwards keep their memory until the work has been submitted. A tensor bound for writing changes in place, for everybody who
 * shares its data.
 *
 * @param backend - the backend that the kernel was called with.
 * @param dispatch - program, buffers, numbers and size.
 *
 * @example
 * ```text
 * const output = backend.output(x.shape);
 * dispatch(backend, {
 *   key: 'Double',
 *   bindings: [{ name: 'x', from: x }, { name: 'y', from: output, access: 'read_write' }],
 *   uniforms: { size: u32(sizeOf(x)) },
 *   code: () => `
 *     @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
 *       if (id.x < uniforms.size) { y[id.x] = 2 * x[id.x]; }
 *     }`,
 *   workgroups: [Math.ceil(sizeOf(x) / 64)],
 * });
 * ```
 */
export function dispatch(backend: DispatchingBackend, description: Dispatch): void {
  const { key, bindings, uniforms, enable = [], code, workgroups, work } = description;
  const fields = Object.entries(uniforms ?? {});
  // first, as computing one may widen another
  for (const { from, value } of bindings) if (isTensor(from)) backend.settle(from.dataId, value !== undefined);
  const memory = new Memory(
    new Map(bindings.flatMap(({ name, from, value }) => (value && isHalf(backend, from) ? [[name, value]] : []))),
  );
  const halves = memory.halves.length > 0;
  const program = backend.programs.get({
    key: halves ? `${key} f16:${memory.halves}` : key,
    code: () => moduleText(bindings, fields, halves ? new Set(['f16', ...enable]) : enable, memory, code(memory)),
    bindings: [
      ...bindings.map(({ access = 'read' }) => bindingTypes[access]),
      ...(fields.length > 0 ? ['uniform' as const] : []),
    ],
  });

  const resources: GPUBufferBinding[] = bindings.map(({ name, from, access, offset, size }) => {
    const half = memory.halves.includes(name);
    if (isTensor(from) && access === 'read_write' && !half) backend.beforeWrite(from.dataId);
    const buffer = !isTensor(from) ? from : half ? backend.halfBufferOf(from) : backend.bufferOf(from);
    return { buffer, ...(offset === undefined ? {} : { offset }), ...(size === undefined ? {} : { size }) };
  });
  if (fields.length > 0) resources.push(backend.uniforms.slice(fields.map(([, value]) => value)));
  const group = backend.device.createBindGroup({
    label: key,
    layout: program.layout,
    entries: resources.map((resource, binding) => ({ binding, resource })),
  });

  for (const { from } of bindings) if (isTensor(from)) backend.commandQueueOwnedIds.add(from.dataId);
  if (backend.recording) {
    const changed = bindings.flatMap(({ from, access }) =>
      isTensor(from) && access === 'read_write' ? [from.dataId] : [],
    );
    backend.recording.describe(group, changed, work);
  }
  record(backend, key, (pass) => {
    pass.setPipeline(program.pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...(workgroups as [number, number?, number?]));
  });
}

const bindingTypes: Record<NonNullable<Binding['access']>, GPUBufferBindingType> = {
  read: 'read-only-storage',
  read_write: 'storage',
  uniform: 'uniform',
};

/** Dispatches after which recorded work is submitted, so that the GPU starts on a step while JavaScript is still recording the rest. */
export const DISPATCHES_PER_SUBMISSION = 100;

/** Puts commands into the pass that the backend is recording, or into a pass of their own where `tf.time` measures them. */
function record(backend: DispatchingBackend, name: string, commands: (pass: GPUComputePassEncoder) => void): void {
  backend.ensureCommandEncoderReady();
  const encoder = backend.commandEncoder as GPUCommandEncoder;
  const timers = backend.supportTimestampQuery ? backend.activeTimers : null;
  if (timers) {
    backend.endComputePassEncoder();
    backend.querySet ??= backend.device.createQuerySet({ type: 'timestamp', count: backend.querySetCount });
    const { querySet } = backend;
    backend.computePassEncoder = encoder.beginComputePass({
      timestampWrites: { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 },
    });
  }
  backend.computePassEncoder ??= encoder.beginComputePass();
  commands(backend.computePassEncoder);
  backend.dispatchCountInPass++;
  if (timers) {
    backend.endComputePassEncoder();
    timers.push({ name: name.split(' ')[0] as string, query: backend.getQueryTime() });
  } else if (backend.dispatchCountInPass >= DISPATCHES_PER_SUBMISSION) {
    backend.flush();
  }
}

/** The whole WGSL module of a program. */
export function moduleText(
  bindings: ReadonlyArray<Omit<Binding, 'from'>>,
  uniforms: ReadonlyArray<readonly [string, UniformValue]>,
  enable: Iterable<string>,
  memory: Memory,
  code: string,
): string {
  const members = uniforms.map(([name, { type }]) => `${name}: ${type}`);
  return [
    ...Array.from(enable, (extension) => `enable ${extension};`),
    ...bindings.map(
      ({ name, value = 'f32', type = `array<${memory.type(name, value)}>`, access = 'read' }, i) =>
        `@group(0) @binding(${i}) var<${access === 'uniform' ? access : `storage, ${access}`}> ${name}: ${type};`,
    ),
    ...(members.length > 0
      ? [
          `struct Uniforms { ${members.join(', ')} }`,
          `@group(0) @binding(${bindings.length}) var<uniform> uniforms: Uniforms;`,
        ]
      : []),
    code,
  ].join('\n');
}

const isTensor = (from: tf.TensorInfo | GPUBuffer): from is tf.TensorInfo => 'dataId' in from;

const isHalf = (backend: DispatchingBackend, from: tf.TensorInfo | GPUBuffer): boolean =>
  isTensor(from) && backend.isHalf(from.dataId);

/**
 * Lays out any number of workgroups within the limit per dimension: [x, y].
 *
 * In WGSL, `workgroup_id.x + workgroup_id.y * num_workgroups.x` counts them; the last ones may lie beyond `count`.
 */
export function workgroupGrid(backend: DispatchingBackend, count: number): [x: number, y: number] {
  const most = backend.device.limits.maxComputeWorkgroupsPerDimension;
  if (count <= most) return [count, 1];
  const rows = Math.ceil(count / most);
  return [Math.ceil(count / rows), rows];
}

/** A number as a literal of type f32 in WGSL. */
export function floatLiteral(value: number): string {
  checkNumber('floatLiteral', 'value', value, {}, 'WGSL has no literal for NaN and infinities.');
  return `${Math.fround(value)}f`;
}
