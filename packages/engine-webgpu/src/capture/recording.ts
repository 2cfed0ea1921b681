import * as tf from '@tensorflow/tfjs-core';
import type { GpuBackend } from '../backend.ts';
import type { Recorder } from '../recorder.ts';
import type { DataId } from '../stock-backend.ts';
import type { Work } from '../work.ts';
import { Arena } from './arena.ts';
import { CommandRecorder, RefusedStep } from './command-recorder.ts';

/**
 * What takes the place of the device while a step is recorded: commands go into a recorder and memory comes from an arena.
 *
 * {@link GpuBackend} asks it in all that differs then. Tensors from outside that the step refers to are uploaded as ever, at once, and
 * kept alive until {@link Recording.unpin}.
 */
export class Recording implements Recorder {
  readonly commands: CommandRecorder = new CommandRecorder();
  readonly arena: Arena;
  /** Data that the step made, its constants included. */
  readonly created: Set<DataId> = new Set();
  /** Data from outside that recorded work refers to. */
  readonly pinned: Set<DataId> = new Set();
  /** Variables and inputs of the step that recorded work refers to. */
  readonly touched: Set<DataId> = new Set();
  /** What each bind group binds, for comparisons. */
  readonly groups: Map<GPUBindGroup, readonly GPUBindGroupEntry[]> = new Map();
  /** What dispatches with a bind group do, where their kernels say so. */
  readonly works: Map<GPUBindGroup, Work> = new Map();
  readonly #backend: GpuBackend;
  readonly #rehearsal: boolean;
  readonly #known: ReadonlySet<DataId>;
  #refusal: RefusedStep | null = null;
  #outside: Pick<GpuBackend, 'bufferManager' | 'commandQueueOwnedIds'> | null = null;

  /**
   * @param backend - the backend that records.
   * @param rehearsal - whether the recording is for comparison only and needs no memory.
   * @param known - data of the variables and inputs, which somebody else keeps alive.
   */
  constructor(backend: GpuBackend, rehearsal: boolean, known: ReadonlySet<DataId>) {
    this.#backend = backend;
    this.#rehearsal = rehearsal;
    this.#known = known;
    this.arena = new Arena(backend.device, backend.bufferManager, rehearsal);
  }

  /** Records what a function does. */
  record<T>(run: () => T): T {
    this.#backend.flush();
    this.#enter();
    try {
      const result = run();
      if (this.#refusal) throw this.#refusal;
      this.#backend.failure.check();
      return result;
    } finally {
      this.#leave();
    }
  }

  /** Gives data that recorded work refers to a buffer. */
  upload(dataId: DataId): void {
    const backend = this.#backend;
    const data = backend.tensorMap.get(dataId);
    if (data.resource) return;
    if (data.values && !this.created.has(dataId)) {
      this.outside(() => backend.uploadToGPU(dataId));
      return;
    }
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    data.resource = data.values
      ? this.arena.constant(data.values as tf.backend_util.TypedArray, data.dtype, usage)
      : this.arena.acquireBuffer(4 * tf.util.sizeFromShape(data.shape), usage);
    data.values = null;
  }

  /** Executes at once what belongs to data from outside, and not to the step. */
  outside(run: () => void): void {
    this.#leave();
    try {
      run();
      this.#backend.flush();
    } finally {
      this.#enter();
    }
  }

  /** A kernel changes data in place: a constant is restored at every replay. */
  beforeWrite(dataId: DataId): void {
    const data = this.#backend.tensorMap.get(dataId);
    this.upload(dataId);
    const constant = data.resource as GPUBuffer;
    if (!this.arena.isConstant(constant)) return;
    data.resource = this.arena.acquireBuffer(constant.size, constant.usage);
    this.commands.copy(constant, data.resource);
  }

  /**
   * Notes what a dispatch does.
   *
   * @param changed - data that it writes: variables among them change in place, and are read for that, too.
   */
  describe(group: GPUBindGroup, changed: readonly DataId[], work: Work = {}): void {
    const inPlace = changed.filter((dataId) => this.#known.has(dataId));
    const again = inPlace.reduce((sum, dataId) => sum + (this.#backend.tensorMap.get(dataId).resource?.size ?? 0), 0);
    this.works.set(group, { bytes: this.#boundBytes(group) + again, ...work });
  }

  /** Bytes of all that a bind group binds, uniforms apart. */
  #boundBytes(group: GPUBindGroup): number {
    const { arena } = this;
    const { uniforms } = this.#backend;
    return (this.groups.get(group) ?? []).reduce((sum, { resource }) => {
      if ((arena.uniforms.contentsOf(resource) ?? uniforms.contentsOf(resource)) !== undefined) return sum;
      const { buffer, offset = 0, size } = resource as GPUBufferBinding;
      return sum + (size ?? buffer.size - offset);
    }, 0);
  }

  /** What a recorded dispatch does; of stock kernels, the bytes that they bind. */
  workOf(group: GPUBindGroup): Work {
    return this.works.get(group) ?? { bytes: this.#boundBytes(group) };
  }

  /** A uniform block of a stock kernel, stored by its contents. */
  uniforms(words: Uint32Array<ArrayBuffer>): GPUBindingResource {
    return this.arena.uniforms.sliceOf(words);
  }

  /** The step read data. What it does with them cannot be known, so that the recording is worth nothing. */
  refuseRead(how: string): RefusedStep {
    this.#refusal ??= new RefusedStep(
      `it reads data (${how}), which change from step to step. Return the tensor as an output, and read it after the step.`,
    );
    return this.#refusal;
  }

  /** Lets go of what the step refers to. */
  unpin(): void {
    for (const dataId of this.pinned) this.#backend.forget(dataId);
    this.pinned.clear();
  }

  /** Recorded work refers to data. */
  #refer(dataId: DataId): void {
    if (this.created.has(dataId) || this.pinned.has(dataId)) return;
    if (this.#known.has(dataId)) {
      this.touched.add(dataId);
      return;
    }
    if (this.#backend.holds.has(dataId)) {
      throw new RefusedStep(
        'it uses an output of another compiled step, which changes from step to step. Pass it as an input.',
      );
    }
    this.pinned.add(dataId);
    this.#backend.tensorMap.get(dataId).refCount++;
  }

  #enter(): void {
    const backend = this.#backend;
    const { bufferManager, commandQueueOwnedIds } = backend;
    this.#outside = { bufferManager, commandQueueOwnedIds };
    backend.bufferManager = this.arena;
    // nothing waits for a submission: memory goes back to the arena at once
    backend.commandQueueOwnedIds = {
      has: () => false,
      add: (dataId) => {
        this.#refer(dataId);
        return backend.commandQueueOwnedIds as WeakSet<DataId>;
      },
    };
    backend.recording = this;
    const { device } = backend;
    const createBindGroup = device.createBindGroup;
    device.createBindGroup = (descriptor) => {
      const group = this.#rehearsal ? ({} as GPUBindGroup) : createBindGroup.call(device, descriptor);
      this.groups.set(group, [...descriptor.entries]);
      return group;
    };
  }

  #leave(): void {
    const backend = this.#backend;
    Reflect.deleteProperty(backend.device, 'createBindGroup');
    Object.assign(backend, this.#outside, {
      recording: null,
      commandEncoder: null,
      computePassEncoder: null,
      dispatchCountInPass: 0,
    });
  }
}
