import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { Runtime } from './runtime.ts';

type Values = tf.backend_util.BackendValues;
type DataId = tf.TensorInfo['dataId'];

/** A tensor that a kernel has made and where its elements lie. */
export interface Output {
  readonly info: tf.TensorInfo;
  readonly address: number;
}

/**
 * The stock cpu backend with tensors in the shared WebAssembly memory, so that kernels of this engine and stock ones mix freely.
 *
 * Every block of that memory has one owner, the data that was made with {@link SimdBackend.output}. Tensors of other origin stay on
 * the JavaScript heap until a kernel of this engine needs them.
 */
export class SimdBackend extends MathBackendCPU {
  readonly runtime: Runtime;
  /** Address of a block that waits for its owner; 0: none. */
  #unowned = 0;
  /** Gives back the memory of tensors that were dropped without being disposed. */
  readonly #abandoned: FinalizationRegistry<number>;

  constructor(runtime: Runtime) {
    super();
    this.runtime = runtime;
    this.#abandoned = new FinalizationRegistry((address) => runtime.allocator.release(address));
    (this as unknown as { firstUse: boolean }).firstUse = false; // no advice to install another backend
  }

  /** A new float32 tensor, its elements not yet written. */
  output(shape: readonly number[]): Output {
    const size = tf.util.sizeFromShape(shape as number[]);
    const address = this.runtime.allocator.allocate(size * 4);
    this.#unowned = address;
    const info = this.makeTensorInfo(shape as number[], 'float32', this.runtime.floats(address, size));
    return { info, address };
  }

  /** Address of a float32 tensor's elements, which move into the shared memory at their first use here. */
  address(tensor: tf.TensorInfo): number {
    const data = this.data.get(tensor.dataId);
    const values = data.values as Float32Array;
    if (this.#isShared(values)) return values.byteOffset;
    if (!(values instanceof Float32Array)) {
      throw new TypeError(`engine-simd: a float32 tensor is needed here, got ${data.dtype}. Cast it first.`);
    }
    const { allocator } = this.runtime;
    const address = allocator.allocate(values.length * 4);
    const moved = this.runtime.floats(address, values.length);
    moved.set(values);
    data.values = moved;
    this.#own(tensor.dataId, address);
    return address;
  }

  /** Elements of a tensor as they lie in memory: to be read at once, neither kept nor written. */
  values(tensor: tf.TensorInfo): Values {
    return this.data.get(tensor.dataId).values as Values;
  }

  override write(values: Values, shape: number[], dtype: tf.DataType): DataId {
    this.runtime.pool.checkUsable();
    if (!this.#isShared(values)) return super.write(values, shape, dtype) as DataId;
    const shared = values as Float32Array;
    const address = shared.byteOffset;
    // Stock kernels may hand on a part of their input, as Slice does: that is copied, as the block belongs to the input.
    if (address !== this.#unowned) return super.write(shared.slice(), shape, dtype) as DataId;
    this.#unowned = 0;
    const dataId = super.write(shared, shape, dtype) as DataId;
    this.#own(dataId, address);
    return dataId;
  }

  override move(dataId: DataId, values: Values, shape: number[], dtype: tf.DataType, refCount: number): void {
    super.move(dataId, this.#isShared(values) ? (values as Float32Array).slice() : values, shape, dtype, refCount);
  }

  /** A copy: what it is given may stay when the memory is used again. */
  override readSync(dataId: DataId): Values {
    this.runtime.pool.checkUsable();
    const values = super.readSync(dataId);
    return this.#isShared(values) ? (values as Float32Array).slice() : values;
  }

  override async read(dataId: DataId): Promise<Values> {
    return this.readSync(dataId);
  }

  override disposeData(dataId: DataId, force = false): boolean {
    const values = this.data.has(dataId) ? this.data.get(dataId).values : undefined;
    const gone = super.disposeData(dataId, force);
    if (gone && values && this.#isShared(values)) {
      this.#abandoned.unregister(dataId);
      this.runtime.allocator.release((values as Float32Array).byteOffset);
    }
    return gone;
  }

  override memory(): { unreliable: boolean; reasons: string[]; wasmBytesInUse: number; wasmBytesReserved: number } {
    const { used, heap } = this.runtime.allocator.statistics;
    return { unreliable: false, reasons: [], wasmBytesInUse: used, wasmBytesReserved: heap };
  }

  #isShared(values: Values | undefined): boolean {
    return ArrayBuffer.isView(values) && this.runtime.owns(values.buffer);
  }

  #own(dataId: DataId, address: number): void {
    this.#abandoned.register(dataId, address, dataId);
  }
}
