import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import type { Precision } from '@tfjs-ssl/ops';
import { TrimmablePool } from './buffer-pool.ts';
import { DeviceFailure } from './device/failure.ts';
import { widen } from './half-data.ts';
import { type Computation, LaterResults } from './later-results.ts';
import { type AdapterInfo, matrixUnitOf } from './product/arithmetic.ts';
import type { MatrixUnit } from './product/product.ts';
import { ProgramCache } from './program-cache.ts';
import type { Recorder } from './recorder.ts';
import { type DataId, StockBackend, type StockUniforms, type TensorData } from './stock-backend.ts';
import { keepNaN, type StockProgram } from './stock-programs.ts';
import { UniformCache } from './uniform-cache.ts';

type Values = tf.backend_util.BackendValues;

/**
 * TensorFlow.js's webgpu backend on a device of our own, with room for kernels that write several tensors, in place too, and with errors
 * that are seen: stock kernels and those of this engine mix freely and run in the order in which they were called.
 */
export class GpuBackend extends StockBackend {
  /** Matrix units of the device; null where it has none that kernels use. */
  readonly matrixUnit: MatrixUnit | null;
  readonly failure: DeviceFailure;
  /** Of the adapter; Dawn lists its matrix configurations there. */
  readonly info: AdapterInfo;
  /** Compiled programs of the kernels of this engine. */
  readonly programs: ProgramCache;
  /** Small uniform blocks of the kernels of this engine. */
  readonly uniforms: UniformCache;
  /** Arithmetic that kernels use for matrix products, now; recorded steps keep the one they were recorded with. */
  precision: Precision = 'float32';
  /** What records instead of the device while a step is captured; null while work is executed. */
  recording: Recorder | null = null;
  /** Data that recorded steps hold, which counts as nobody's reference. */
  readonly holds: Set<DataId> = new Set();
  /** Results that nothing has needed yet. */
  readonly #later: LaterResults = new LaterResults(this);
  /** Memory of tensors. */
  readonly pool: TrimmablePool;
  /** Held as long as the backend: Dawn aborts the process when its entry is collected before the device. */
  readonly gpu: GPU;

  private constructor(gpu: GPU, device: GPUDevice, info: GPUAdapterInfo) {
    super(device, info);
    this.gpu = gpu;
    this.info = info as AdapterInfo;
    this.pool = new TrimmablePool(device);
    this.bufferManager = this.pool;
    this.failure = new DeviceFailure(device, () => this.bufferManager.numBytesUsed);
    this.matrixUnit = matrixUnitOf(device, info);
    this.programs = new ProgramCache(device);
    this.uniforms = new UniformCache(device);
  }

  /** Makes the backend of an opened device. The entry is shown to TensorFlow.js for that moment, as its constructor looks for it. */
  static on(gpu: GPU, device: GPUDevice, info: GPUAdapterInfo): GpuBackend {
    const before = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
    if (globalThis.navigator?.gpu) return new GpuBackend(gpu, device, info);
    Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true });
    try {
      return new GpuBackend(gpu, device, info);
    } finally {
      Reflect.deleteProperty(globalThis, 'navigator');
      if (before) Object.defineProperty(globalThis, 'navigator', before);
    }
  }

  /**
   * A new tensor on the GPU, its elements not yet written.
   *
   * @param options.dtype - default: `'float32'`.
   * @param options.half - whether its float32 elements lie as float16 until something needs them as they are; see
   * {@link GpuBackend.storesHalf}. Default: false.
   */
  output(
    shape: readonly number[],
    options: { dtype?: 'float32' | 'int32' | 'bool'; half?: boolean } = {},
  ): tf.TensorInfo {
    const { dtype = 'float32', half = false } = options;
    const info = this.makeTensorInfo([...shape], dtype);
    if (half) this.tensorMap.get(info.dataId).half = true;
    else this.uploadToGPU(info.dataId);
    return info;
  }

  /**
   * Whether an activation or its gradient is to lie as float16: in mixed precision, where channels come in fours.
   *
   * It is a private matter of the kernels that bind tensors with a `value`: whatever else asks for a buffer gets float32, see
   * {@link GpuBackend.settle}.
   *
   * @param from - activations that it is made of: where one is float32, so is the result.
   */
  storesHalf(shape: readonly number[], ...from: readonly tf.TensorInfo[]): boolean {
    if (this.precision !== 'mixed' || (shape.at(-1) ?? 1) % 4 !== 0) return false;
    return this.device.features.has('shader-f16') && from.every(({ dataId }) => this.isHalf(dataId));
  }

  /**
   * Whether a tensor's elements lie as float16 now. A recorded step holds on to tensors from outside, which others may have widened at any
   * time: to it they are float32.
   */
  isHalf(dataId: DataId): boolean {
    if (!this.#dataOf(dataId)?.half) return false;
    if (!this.recording || this.recording.created.has(dataId)) return true;
    this.settle(dataId);
    return false;
  }

  /**
   * The buffer of a tensor that lies as float16 and does not wait.
   *
   * @throws Error if it does not lie so (any more).
   */
  halfBufferOf({ dataId, shape }: tf.TensorInfo): GPUBuffer {
    const data = this.tensorMap.get(dataId);
    if (!data.half)
      throw new Error('halfBufferOf: the tensor must be stored as float16, got float32. Ask isHalf first.');
    if (!data.resource) {
      const bytes = 2 * tf.util.sizeFromShape([...shape]);
      this.#checkSize(bytes);
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      data.resource = this.bufferManager.acquireBuffer(bytes, usage);
    }
    return data.resource;
  }

  /**
   * Memory for the length of one kernel: a tensor that is given back once `use` has recorded its dispatches. The GPU still has it until
   * they have run.
   */
  withScratch<T>(shape: readonly number[], use: (scratch: tf.TensorInfo) => T): T {
    const scratch = this.output(shape);
    try {
      return use(scratch);
    } finally {
      this.disposeData(scratch.dataId);
    }
  }

  /**
   * A new float32 tensor whose elements are computed when something needs them: by itself, or together with a sum that takes it in.
   *
   * @param inputs - tensors that the computation reads; held until then.
   * @param compute - records the dispatches that write the result, plus `addend` where it is given.
   * @param half - whether it lies as float16.
   */
  later(shape: readonly number[], inputs: readonly tf.TensorInfo[], compute: Computation, half = false): tf.TensorInfo {
    const result = this.makeTensorInfo([...shape], 'float32');
    this.tensorMap.get(result.dataId).half = half;
    return this.#later.add(result, inputs, compute);
  }

  /** a + b in one go where one of them has not been computed yet; else null. */
  addLater(a: tf.TensorInfo, b: tf.TensorInfo): tf.TensorInfo | null {
    const { recording } = this;
    if (recording) for (const { dataId } of [a, b]) if (!recording.created.has(dataId)) this.settle(dataId);
    return this.#later.sum(a, b);
  }

  /**
   * Makes data what TensorFlow.js takes them for: computes what has been left for later, and widens what lies as float16.
   *
   * @param keepHalf - for kernels that read float16: only the former.
   */
  settle(dataId: DataId, keepHalf = false): void {
    const { recording } = this;
    const half = !keepHalf && this.#dataOf(dataId)?.half;
    if (!half && !this.#later.has(dataId)) return;
    if (recording && !recording.created.has(dataId)) {
      recording.outside(() => this.settle(dataId, keepHalf));
      return;
    }
    this.#later.settle(dataId);
    if (half) widen(this, dataId);
  }

  /** What is known of data here; nothing of what another backend has. */
  #dataOf(dataId: DataId): TensorData | undefined {
    return this.tensorMap.has(dataId) ? this.tensorMap.get(dataId) : undefined;
  }

  /** The buffer that holds a tensor's elements, which are uploaded if need be. */
  bufferOf(tensor: tf.TensorInfo): GPUBuffer {
    this.uploadToGPU(tensor.dataId);
    return this.tensorMap.get(tensor.dataId).resource as GPUBuffer;
  }

  override uploadToGPU(dataId: DataId): void {
    this.settle(dataId);
    const { dtype, shape, resource } = this.tensorMap.get(dataId);
    if (!resource && dtype !== 'complex64' && dtype !== 'string') this.#checkSize(4 * tf.util.sizeFromShape(shape));
    if (this.recording) this.recording.upload(dataId);
    else super.uploadToGPU(dataId);
  }

  #checkSize(bytes: number): void {
    const most = this.device.limits.maxStorageBufferBindingSize;
    if (bytes > most) {
      const [size, limit] = [bytes, most].map((count) => `${(count / 2 ** 20).toFixed(1)} MiB`);
      throw argumentError({
        fn: 'engine-webgpu',
        argument: 'a tensor',
        required: `have at most ${limit}, which is what this GPU binds`,
        got: bytes,
        shown: `${size}`,
        advice: 'Split it, or lower the batch size.',
      });
    }
  }

  /** Announces that recorded work changes a tensor in place. */
  beforeWrite(dataId: DataId): void {
    this.settle(dataId);
    this.recording?.beforeWrite(dataId);
  }

  /** Gives up a reference to data; they are gone with the last one. */
  forget(dataId: DataId): void {
    if (this.disposeData(dataId)) tf.engine().removeDataId(dataId, this as unknown as tf.KernelBackend);
  }

  override disposeData(dataId: DataId, force?: boolean): boolean {
    const gone = super.disposeData(dataId, force);
    if (gone) this.#later.drop(dataId);
    return gone;
  }

  /** Number of tensors that refer to data. */
  override refCount(dataId: DataId): number {
    return super.refCount(dataId) - (this.holds.has(dataId) ? 1 : 0);
  }

  /** Submits what has been recorded so far. */
  flush(): void {
    this.endComputePassEncoder();
    if (this.commandEncoder) this.submitQueue();
  }

  override ensureCommandEncoderReady(): void {
    this.failure.check();
    if (this.recording) this.commandEncoder = this.recording.commands as unknown as GPUCommandEncoder;
    else super.ensureCommandEncoderReady();
  }

  override submitQueue(): void {
    if (!this.recording) {
      super.submitQueue();
      return;
    }
    this.commandEncoder = null;
    this.dispatchCountInPass = 0;
  }

  override write(values: Values | null, shape: number[], dtype: tf.DataType): DataId {
    this.failure.check();
    const dataId = super.write(values as Values, shape, dtype) as DataId;
    this.recording?.created.add(dataId);
    return dataId;
  }

  override runWebGPUProgram(
    program: StockProgram,
    inputs: tf.TensorInfo[],
    dtype: tf.DataType,
    ...rest: unknown[]
  ): tf.TensorInfo {
    keepNaN(program, dtype);
    return super.runWebGPUProgram(program, inputs, dtype, ...rest);
  }

  /** Uniform blocks of stock kernels; while recording they are stored by their contents. */
  override makeUniforms(uniforms: StockUniforms): GPUBindingResource {
    if (!this.recording) return super.makeUniforms(uniforms);
    let words = new Uint32Array();
    const standIn = {
      bufferManager: { acquireBuffer: () => null },
      queue: {
        writeBuffer: (_buffer: unknown, _offset: number, bytes: ArrayBuffer) => {
          words = new Uint32Array(bytes);
        },
      },
      uniformPendingDisposal: [],
    };
    super.makeUniforms.call(standIn, uniforms);
    return this.recording.uniforms(words);
  }

  override async read(dataId: DataId): Promise<Values> {
    if (this.recording) throw this.recording.refuseRead('data() or array()');
    this.failure.check();
    this.settle(dataId);
    try {
      const values = await super.read(dataId);
      this.failure.check();
      return values;
    } catch (error) {
      await lostIsReported();
      this.failure.check();
      throw error;
    }
  }

  override readToGPU(dataId: DataId): tf.GPUData {
    this.settle(dataId);
    return super.readToGPU(dataId);
  }

  override readSync(dataId: DataId): Values {
    this.failure.check();
    this.settle(dataId);
    const data = this.tensorMap.get(dataId);
    if (this.recording && !data.values) {
      throw this.recording.refuseRead('dataSync(), arraySync(), or a kernel that runs on the CPU');
    }
    if (data.resource && typeof OffscreenCanvas === 'undefined') {
      throw new Error(
        'engine-webgpu: a tensor on the GPU cannot be read synchronously in Node. Use `await tensor.data()` or `await tensor.array()`.',
      );
    }
    return super.readSync(dataId);
  }

  /** Keeps no copy of what was read: kernels that write in place would make it stale. */
  override convertAndCacheOnCPU(_dataId: DataId, values: Values): Values {
    return values;
  }

  override dispose(): void {
    this.failure.expectLoss();
    super.dispose();
    this.device.destroy();
  }
}

/** The rejection of a read comes before the news of the lost device that caused it. */
const lostIsReported = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
