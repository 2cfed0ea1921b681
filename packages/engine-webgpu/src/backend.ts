import * as tf from '@tensorflow/tfjs-core';
import type { Precision } from '@tfjs-ssl/ops';
import { DeviceFailure } from './device/failure.ts';
import { matrixUnitOf } from './product/arithmetic.ts';
import type { MatrixUnit } from './product/product.ts';
import { ProgramCache } from './program-cache.ts';
import { type DataId, StockBackend } from './stock-backend.ts';
import { UniformCache } from './uniform-cache.ts';

type Values = tf.backend_util.BackendValues;

/**
 * TensorFlow.js's webgpu backend on a device of our own, with room for kernels that write several tensors, in place too, and with errors
 * that are seen: stock kernels and those of this engine mix freely and run in the order in which they were called.
 */
export class GpuBackend extends StockBackend {
  /** Arithmetic of matrix products and convolutions that are recorded from here on. */
  precision: Precision = 'float32';
  /** Matrix units of the device; null where it has none that kernels use. */
  readonly matrixUnit: MatrixUnit | null;
  readonly failure: DeviceFailure;
  /** Compiled programs of the kernels of this engine. */
  readonly programs: ProgramCache;
  /** Small uniform blocks of the kernels of this engine. */
  readonly uniforms: UniformCache;
  /** Held as long as the backend: Dawn aborts the process when its entry is collected before the device. */
  readonly gpu: GPU;

  private constructor(gpu: GPU, device: GPUDevice, info: GPUAdapterInfo) {
    super(device, info);
    this.gpu = gpu;
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

  /** A new tensor on the GPU, its elements not yet written. */
  output(shape: readonly number[], dtype: 'float32' | 'int32' | 'bool' = 'float32'): tf.TensorInfo {
    const info = this.makeTensorInfo([...shape], dtype);
    this.uploadToGPU(info.dataId);
    return info;
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

  /** The buffer that holds a tensor's elements, which are uploaded if need be. */
  bufferOf(tensor: tf.TensorInfo): GPUBuffer {
    this.uploadToGPU(tensor.dataId);
    return this.tensorMap.get(tensor.dataId).resource as GPUBuffer;
  }

  override uploadToGPU(dataId: DataId): void {
    const { dtype, shape, resource } = this.tensorMap.get(dataId);
    const bytes = dtype === 'complex64' || dtype === 'string' ? 0 : 4 * tf.util.sizeFromShape(shape);
    const most = this.device.limits.maxStorageBufferBindingSize;
    if (!resource && bytes > most) {
      const [size, limit] = [bytes, most].map((count) => (count / 2 ** 20).toFixed(1));
      throw new RangeError(
        `engine-webgpu: a tensor of ${size} MiB is larger than the ${limit} MiB that this GPU binds. Split it, or lower the batch size.`,
      );
    }
    super.uploadToGPU(dataId);
  }

  /** Announces that recorded work changes a tensor in place. */
  beforeWrite(_dataId: DataId): void {}

  /** Submits what has been recorded so far. */
  flush(): void {
    this.endComputePassEncoder();
    if (this.commandEncoder) this.submitQueue();
  }

  override ensureCommandEncoderReady(): void {
    this.failure.check();
    super.ensureCommandEncoderReady();
  }

  override write(values: Values, shape: number[], dtype: tf.DataType): DataId {
    this.failure.check();
    return super.write(values, shape, dtype) as DataId;
  }

  override async read(dataId: DataId): Promise<Values> {
    this.failure.check();
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

  override readSync(dataId: DataId): Values {
    this.failure.check();
    const data = this.tensorMap.get(dataId);
    if (data?.resource && typeof OffscreenCanvas === 'undefined') {
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
