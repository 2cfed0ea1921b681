import * as tf from '@tensorflow/tfjs-core';
import type { GpuBackend } from '../backend.ts';
import type { DataId, TensorData } from '../stock-backend.ts';

/**
 * Data whose buffer replays write: a variable, or an output of a recorded step.
 *
 * Tensors are immutable to those who hold them, so whoever still has a tensor of it when it is written next is given a copy first, and
 * the buffer goes on under a new identity. Holding the data here counts for nobody but the memory.
 */
export class FixedData {
  readonly #backend: GpuBackend;
  readonly #shape: number[];
  readonly #dtype: tf.DataType;
  readonly buffer: GPUBuffer;
  #dataId: DataId;

  /**
   * Takes hold of data.
   *
   * @param backend - where it is.
   * @param info - a tensor of the data, which is uploaded if need be; it stays the caller's.
   */
  constructor(backend: GpuBackend, { dataId, shape, dtype }: tf.TensorInfo) {
    this.#backend = backend;
    this.#shape = shape;
    this.#dtype = dtype;
    this.#dataId = dataId;
    this.buffer = backend.bufferOf({ dataId, shape, dtype });
    this.#entry.refCount++;
    backend.holds.add(dataId);
  }

  /** Makes data of a buffer that belongs to somebody else. */
  static on(backend: GpuBackend, buffer: GPUBuffer, shape: readonly number[], dtype: tf.DataType): FixedData {
    const info = backend.makeTensorInfo([...shape], dtype);
    Object.assign(backend.tensorMap.get(info.dataId), { resource: buffer, external: true });
    const data = new FixedData(backend, info);
    backend.forget(info.dataId);
    return data;
  }

  get dataId(): DataId {
    return this.#dataId;
  }

  /** Tensors and others that refer to the data now. */
  get users(): number {
    return this.#backend.refCount(this.#dataId);
  }

  /** A new tensor of the data, owned by the current scope. */
  tensor(): tf.Tensor {
    this.#entry.refCount++;
    const info = { dataId: this.#dataId, shape: this.#shape, dtype: this.#dtype };
    return tf.engine().makeTensorFromTensorInfo(info, this.#backend as unknown as tf.KernelBackend);
  }

  /**
   * Before the buffer is written: gives users beyond those `expected` a copy of what it holds.
   *
   * @returns whether that happened, so that {@link FixedData.dataId} is another one now.
   */
  detach(encoder: GPUCommandEncoder, expected: number): boolean {
    if (this.users <= expected) return false;
    const { buffer } = this;
    const copy = this.#backend.bufferManager.acquireBuffer(buffer.size, buffer.usage);
    encoder.copyBufferToBuffer(buffer, 0, copy, 0, buffer.size);
    const before = this.#entry;
    const { external } = before;
    before.resource = copy;
    before.external = false;
    this.#letGo();
    this.#dataId = this.#backend.write(null, this.#shape, this.#dtype);
    this.#backend.holds.add(this.#dataId);
    Object.assign(this.#entry, { resource: buffer, external });
    return true;
  }

  /** Gives up the hold; the data is gone with its last user. */
  release(): void {
    this.#letGo();
  }

  get #entry(): TensorData {
    return this.#backend.tensorMap.get(this.#dataId);
  }

  #letGo(): void {
    this.#backend.holds.delete(this.#dataId);
    this.#backend.forget(this.#dataId);
  }
}
