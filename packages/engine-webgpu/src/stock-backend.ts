import { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import type * as tf from '@tensorflow/tfjs-core';
import type { StockProgram } from './stock-programs.ts';

/** Key of a tensor's data in a backend. */
export type DataId = tf.TensorInfo['dataId'];

/** What the backend knows of a tensor. */
export interface TensorData {
  /** Elements that have not been uploaded yet; null once the buffer has them. */
  values: tf.backend_util.BackendValues | null;
  readonly dtype: tf.DataType;
  readonly shape: number[];
  refCount: number;
  /** Where the elements are, once a kernel needed them there. */
  resource?: GPUBuffer | null;
  /** Whether the buffer belongs to somebody else, so that it does not go into the pool. */
  external?: boolean;
  /** Our own: whether the buffer holds float16, two bytes a number, which stock kernels know nothing of. */
  half?: boolean;
}

/** Buffers by size and usage; those that are not in use are kept for the next tensor of that size. */
export interface BufferPool {
  readonly numBytesUsed: number;
  readonly numBytesAllocated: number;
  acquireBuffer(size: number, usage: GPUBufferUsageFlags, mappedAtCreation?: boolean, reuse?: boolean): GPUBuffer;
  releaseBuffer(buffer: GPUBuffer, reuse?: boolean): void;
}

/** Numbers of a uniform block as stock kernels give them. */
export type StockUniforms = Array<{ readonly type: string; readonly data: number[] }>;

/** A measurement of `tf.time`. */
interface Timer {
  readonly name: string;
  readonly query: Promise<number>;
}

/**
 * TensorFlow.js's webgpu backend, 4.22, as it is inside: TypeScript calls much of this private, but an engine that adds kernels and
 * records steps stands on it. A test checks that the installed version still has it.
 */
export interface StockBackend extends tf.KernelBackend {
  readonly device: GPUDevice;
  readonly queue: GPUQueue;
  readonly tensorMap: tf.DataStorage<TensorData>;
  readonly supportTimestampQuery: boolean;
  readonly querySetCount: number;
  bufferManager: BufferPool;
  commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  /** Data that recorded and not yet submitted work uses: disposed only after the submission. */
  commandQueueOwnedIds: Pick<WeakSet<DataId>, 'has' | 'add'>;
  dispatchCountInPass: number;
  activeTimers: Timer[] | null;
  querySet: GPUQuerySet | null;

  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
  uploadToGPU(dataId: DataId): void;
  runWebGPUProgram(
    program: StockProgram,
    inputs: tf.TensorInfo[],
    dtype: tf.DataType,
    ...rest: unknown[]
  ): tf.TensorInfo;
  makeUniforms(uniforms: StockUniforms): GPUBindingResource;
  convertAndCacheOnCPU(dataId: DataId, values: tf.backend_util.BackendValues): tf.backend_util.BackendValues;
  makeTensorInfo(shape: number[], dtype: tf.DataType, values?: tf.backend_util.BackendValues): tf.TensorInfo;
  getQueryTime(): Promise<number>;
}

/** The class of the stock backend with its inner members visible. */
export const StockBackend: new (device: GPUDevice, adapterInfo?: GPUAdapterInfo) => StockBackend =
  WebGPUBackend as unknown as new (
    device: GPUDevice,
    adapterInfo?: GPUAdapterInfo,
  ) => StockBackend;
