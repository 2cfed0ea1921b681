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

/** Data of a tensor in the WebAssembly memory, the only owner of its block there. */
class BlockData {
  readonly dtype = 'float32';
  readonly address: number;
  refCount: number;
  readonly #runtime: Runtime;
  readonly #size: number;

  constructor(runtime: Runtime, address: number, size: number, refCount: number) {
    this.#runtime = runtime;
    this.address = address;
    this.#size = size;
    this.refCount = refCount;
  }

  /** The elements for a stock kernel, looked up each time: a memory that is not shared moves when it grows. */
  get values(): Float32Array {
    return this.#runtime.floats(this.address, this.#size);
  }
}

/**
 * The stock cpu backend with tensors in the WebAssembly memory, so that kernels of this engine and stock ones mix freely.
 *
 * What {@link SimdBackend.output} makes lies there. Tensors of other origin stay on the JavaScript heap until a kernel of this engine needs them.
 */
export class SimdBackend extends MathBackendCPU {
  readonly runtime: Runtime;
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
    this.runtime.pool.checkUsable();
    const size = tf.util.sizeFromShape(shape as number[]);
    const address = this.runtime.allocator.allocate(size * 4);
    const dataId = {};
    this.#own(dataId, new BlockData(this.runtime, address, size, 1));
    return { info: { dataId, shape: shape as number[], dtype: 'float32' }, address };
  }

  /** Address of a float32 tensor's elements, which move into the WebAssembly memory at their first use here. */
  address({ dataId }: tf.TensorInfo): number {
    const data = this.data.get(dataId);
    if (data instanceof BlockData) return data.address;
    const { values, dtype, refCount } = data;
    if (!(values instanceof Float32Array)) {
      throw new TypeError(`engine-simd: a float32 tensor is needed here, got ${dtype}. Cast it first.`);
    }
    const { length } = values;
    const address = this.runtime.allocator.allocate(length * 4);
    this.runtime.floats(address, length).set(values);
    this.data.delete(dataId);
    this.#own(dataId, new BlockData(this.runtime, address, length, refCount));
    return address;
  }

  /** Elements of a tensor as they lie in memory: to be read at once, neither kept nor written. */
  values(tensor: tf.TensorInfo): Values {
    return this.data.get(tensor.dataId).values as Values;
  }

  override write(values: Values, shape: number[], dtype: tf.DataType): DataId {
    this.runtime.pool.checkUsable();
    // Stock kernels may hand on a part of their input, as Slice does: that is copied, as the block belongs to the input.
    return super.write(this.#ownCopy(values), shape, dtype) as DataId;
  }

  override move(dataId: DataId, values: Values, shape: number[], dtype: tf.DataType, refCount: number): void {
    super.move(dataId, this.#ownCopy(values), shape, dtype, refCount);
  }

  /** A copy: what it is given may stay when the memory is used again. */
  override readSync(dataId: DataId): Values {
    this.runtime.pool.checkUsable();
    return this.#ownCopy(super.readSync(dataId));
  }

  override async read(dataId: DataId): Promise<Values> {
    return this.readSync(dataId);
  }

  override disposeData(dataId: DataId, force = false): boolean {
    const data = this.data.has(dataId) ? this.data.get(dataId) : undefined;
    const gone = super.disposeData(dataId, force);
    if (gone && data instanceof BlockData) {
      this.#abandoned.unregister(dataId);
      this.runtime.allocator.release(data.address);
    }
    return gone;
  }

  override memory(): { unreliable: boolean; reasons: string[]; wasmBytesInUse: number; wasmBytesReserved: number } {
    const { used, heap } = this.runtime.allocator.statistics;
    return { unreliable: false, reasons: [], wasmBytesInUse: used, wasmBytesReserved: heap };
  }

  /** Values that are no part of the WebAssembly memory. */
  #ownCopy(values: Values): Values {
    return ArrayBuffer.isView(values) && this.runtime.owns(values.buffer) ? (values as Float32Array).slice() : values;
  }

  #own(dataId: DataId, data: BlockData): void {
    this.data.set(dataId, data);
    this.#abandoned.register(dataId, data.address, dataId);
  }
}
