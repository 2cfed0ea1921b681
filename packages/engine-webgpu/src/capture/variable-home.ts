import * as tf from '@tensorflow/tfjs-core';
import type { GpuBackend } from '../backend.ts';
import { FixedData } from './fixed-data.ts';

/**
 * The buffer in which a variable lives while recorded steps refer to it. Code around the steps may assign the variable and clone it as
 * ever: the next replay brings the new value home, and leaves the clones what they had.
 */
export class VariableHome {
  readonly variable: tf.Variable;
  readonly data: FixedData;
  /** Recorded steps that refer to it. */
  users = 0;
  readonly #backend: GpuBackend;

  constructor(backend: GpuBackend, variable: tf.Variable) {
    this.#backend = backend;
    this.variable = variable;
    ownMemory(backend, variable);
    this.data = new FixedData(backend, variable);
  }

  /** Whether the variable has been assigned another tensor. */
  get moved(): boolean {
    return this.variable.dataId !== this.data.dataId;
  }

  /** Points the variable at its home again, whatever it was assigned. */
  restore(): void {
    if (this.moved) this.#return();
  }

  /** Before a replay: uploads what the variable was assigned, which may record work. */
  prepare(): void {
    if (this.variable.isDisposed) {
      throw new Error(
        `engine-webgpu: the variable ${this.variable.name} of a recorded step is disposed. Dispose the compiled step first, or keep the variable.`,
      );
    }
    if (this.moved) this.#backend.bufferOf(this.variable);
  }

  /** Before a replay: brings an assigned value home and gives clones a copy of the old one. */
  sync(encoder: GPUCommandEncoder): void {
    const { moved, data, variable } = this;
    const detached = data.detach(encoder, moved ? 0 : 1);
    if (moved) encoder.copyBufferToBuffer(this.#backend.bufferOf(variable), 0, data.buffer, 0, data.buffer.size);
    if (moved || detached) this.#return();
  }

  release(): void {
    if (!this.variable.isDisposed) this.restore();
    this.data.release();
  }

  #return(): void {
    const tensor = this.data.tensor();
    this.variable.assign(tensor);
    tensor.dispose();
  }
}

/** Uploads a variable, and gives it memory of its own where another tensor has the same. */
function ownMemory(backend: GpuBackend, variable: tf.Variable): void {
  const source = backend.bufferOf(variable);
  if (backend.refCount(variable.dataId) <= 1) return;
  const info = backend.makeTensorInfo(variable.shape, variable.dtype);
  const target = backend.bufferOf(info);
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  (backend.commandEncoder as GPUCommandEncoder).copyBufferToBuffer(source, 0, target, 0, source.size);
  const tensor = tf.engine().makeTensorFromTensorInfo(info, backend as unknown as tf.KernelBackend);
  variable.assign(tensor);
  tensor.dispose();
}
