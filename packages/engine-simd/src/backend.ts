import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import type { Runtime } from './runtime.ts';

type Values = tf.backend_util.BackendValues;
type DataId = tf.TensorInfo['dataId'];

/** A tensor that a kernel has made and where its elements lie. */
export interface Output {
  readonly info: tf.TensorInfo;
  readonly address: number;
}

/** Where the elements of a tensor lie. */
interface Block {
  readonly address: number;
  /** Elements. */
  readonly size: number;
  /** First dimension of the tensor. */
  readonly rows: number;
}

/** Data of a tensor in the WebAssembly memory, the only owner of its block there. */
class BlockData {
  readonly dtype = 'float32';
  readonly block: Block;
  refCount: number;
  readonly #runtime: Runtime;

  constructor(runtime: Runtime, block: Block, refCount: number) {
    this.#runtime = runtime;
    this.block = block;
    this.refCount = refCount;
  }

  /** The elements for a stock kernel, looked up each time: a memory that is not shared moves when it grows. */
  get values(): Float32Array {
    return this.#runtime.floats(this.block.address, this.block.size);
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
  readonly #abandoned: FinalizationRegistry<Block>;

  constructor(runtime: Runtime) {
    super();
    this.runtime = runtime;
    this.#abandoned = new FinalizationRegistry((block) => this.#release(block));
    (this as unknown as { firstUse: boolean }).firstUse = false; // no advice to install another backend
  }

  /** A new float32 tensor, its elements not yet written. */
  output(shape: readonly number[]): Output {
    this.runtime.pool.checkUsable();
    const block = this.#allocate(shape, tf.util.sizeFromShape(shape as number[]));
    const dataId = {};
    this.#own(dataId, block, 1);
    return { info: { dataId, shape: shape as number[], dtype: 'float32' }, address: block.address };
  }

  /** A new float32 tensor with a copy of these elements. */
  copyOf(values: Float32Array, shape: readonly number[]): tf.TensorInfo {
    const { info, address } = this.output(shape);
    this.runtime.floats(address, values.length).set(values);
    return info;
  }

  /** Address of a float32 tensor's elements, which move into the WebAssembly memory at their first use here. */
  address({ dataId, shape }: tf.TensorInfo): number {
    const data = this.data.get(dataId);
    if (data instanceof BlockData) return data.block.address;
    const { values, dtype, refCount } = data;
    if (!(values instanceof Float32Array)) {
      const advice = "Cast it with tf.cast(x, 'float32').";
      const [fn, argument, required] = ['engine-simd', 'the tensor', 'be float32'];
      throw argumentError({ kind: 'type', fn, argument, required, got: dtype, shown: dtype, advice });
    }
    const block = this.#allocate(shape, values.length);
    this.runtime.floats(block.address, block.size).set(values);
    this.data.delete(dataId);
    this.#own(dataId, block, refCount);
    return block.address;
  }

  /** Elements of a tensor as they lie in memory: to be read at once, neither kept nor written. */
  values(tensor: tf.TensorInfo): Values {
    return this.data.get(tensor.dataId).values as Values;
  }

  /** Copies the elements of a float32 tensor. */
  readInto(tensor: tf.TensorInfo, target: Float32Array): void {
    this.runtime.pool.checkUsable();
    target.set(this.values(tensor) as Float32Array);
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

  /** Also waits for what `f` has begun. */
  override time(f: () => void): Promise<tf.BackendTimingInfo> {
    return super.time(() => {
      f();
      this.runtime.pool.finish();
    });
  }

  override disposeData(dataId: DataId, force = false): boolean {
    const data = this.data.has(dataId) ? this.data.get(dataId) : undefined;
    const gone = super.disposeData(dataId, force);
    if (gone && data instanceof BlockData) {
      this.#abandoned.unregister(dataId);
      this.#release(data.block);
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

  #allocate(shape: readonly number[], size: number): Block {
    const block = { address: this.runtime.allocator.allocate(size * 4), size, rows: shape[0] ?? 1 };
    this.runtime.batchAdvice.count(block.rows, size * 4);
    return block;
  }

  #release({ address, size, rows }: Block): void {
    this.runtime.batchAdvice.count(rows, -size * 4);
    this.runtime.allocator.release(address);
  }

  #own(dataId: DataId, block: Block, refCount: number): void {
    this.data.set(dataId, new BlockData(this.runtime, block, refCount));
    this.#abandoned.register(dataId, block, dataId);
  }
}
