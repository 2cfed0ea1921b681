import type { BufferPool } from './stock-backend.ts';

/**
 * Buffers by size and usage; those that are not in use wait for the next tensor of that size.
 *
 * Stands in for TensorFlow.js's own, which never gives memory back to the device.
 */
export class TrimmablePool implements BufferPool {
  readonly #device: GPUDevice;
  readonly #free = new Map<string, GPUBuffer[]>();
  readonly #used = new Set<GPUBuffer>();
  numBytesUsed = 0;
  numBytesAllocated = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  acquireBuffer(size: number, usage: GPUBufferUsageFlags, mappedAtCreation = false, reuse = true): GPUBuffer {
    let buffer = reuse ? this.#free.get(keyOf(size, usage))?.pop() : undefined;
    if (!buffer) {
      buffer = this.#device.createBuffer({ size, usage, mappedAtCreation });
      this.numBytesAllocated += size;
    }
    this.#used.add(buffer);
    this.numBytesUsed += size;
    return buffer;
  }

  releaseBuffer(buffer: GPUBuffer, reuse = true): void {
    if (!this.#used.delete(buffer)) return; // the pool has been disposed since
    this.numBytesUsed -= buffer.size;
    if (!reuse) {
      this.#destroy(buffer);
      return;
    }
    const key = keyOf(buffer.size, buffer.usage);
    const free = this.#free.get(key);
    if (free) free.push(buffer);
    else this.#free.set(key, [buffer]);
  }

  /** Gives the memory that is not in use back to the device. */
  trim(): void {
    for (const buffers of this.#free.values()) for (const buffer of buffers) this.#destroy(buffer);
    this.#free.clear();
  }

  dispose(): void {
    this.trim();
    for (const buffer of this.#used) this.#destroy(buffer);
    this.#used.clear();
    this.numBytesUsed = 0;
  }

  #destroy(buffer: GPUBuffer): void {
    buffer.destroy();
    this.numBytesAllocated -= buffer.size;
  }
}

const keyOf = (size: number, usage: number): string => `${size}_${usage}`;
