import type * as tf from '@tensorflow/tfjs-core';
import type { BufferPool } from '../stock-backend.ts';
import { UniformCache } from '../uniform-cache.ts';
import { digest } from './digest.ts';

/** Constants up to this size are stored once if they are equal. */
const SMALL = 256;

/**
 * The memory of one recorded step: intermediates that take turns in their buffers, constants, uniforms.
 *
 * What a tensor leaves is taken again at once, within the recording: replays keep the order. Nothing of it ever gets into the pool of
 * the backend. A rehearsal makes no real buffers, so that a step can be recorded for comparison at no cost of memory.
 */
export class Arena implements BufferPool {
  readonly #device: GPUDevice;
  readonly #outside: BufferPool;
  readonly #rehearsal: boolean;
  readonly #free = new Map<string, GPUBuffer[]>();
  readonly #own = new Map<GPUBuffer, 'intermediate' | 'constant'>();
  readonly #constants = new Map<string, GPUBuffer>();
  readonly #names = new Map<GPUBuffer, string>();
  /** Uniform blocks of stock kernels. */
  readonly uniforms: UniformCache;
  numBytesAllocated = 0;

  constructor(device: GPUDevice, outside: BufferPool, rehearsal: boolean) {
    this.#device = device;
    this.#outside = outside;
    this.#rehearsal = rehearsal;
    this.uniforms = new UniformCache(device, rehearsal);
  }

  get numBytesUsed(): number {
    return this.numBytesAllocated;
  }

  acquireBuffer(size: number, usage: GPUBufferUsageFlags, mappedAtCreation = false): GPUBuffer {
    const free = mappedAtCreation ? undefined : this.#free.get(`${size}_${usage}`)?.pop();
    return free ?? this.#make(size, usage, 'intermediate', `intermediate ${this.#own.size}`);
  }

  releaseBuffer(buffer: GPUBuffer, reuse?: boolean): void {
    const kind = this.#own.get(buffer);
    if (kind === undefined) this.#outside.releaseBuffer(buffer, reuse);
    if (kind !== 'intermediate') return;
    const key = `${buffer.size}_${buffer.usage}`;
    const free = this.#free.get(key);
    if (free) free.push(buffer);
    else this.#free.set(key, [buffer]);
  }

  /** A buffer that holds these values at every replay. */
  constant(values: tf.backend_util.TypedArray, dtype: tf.DataType, usage: GPUBufferUsageFlags): GPUBuffer {
    const words = dtype === 'float32' ? new Float32Array(values) : new Int32Array(values);
    const bytes = new Uint8Array(words.buffer);
    const key = `constant ${dtype} [${bytes.length}] ${digest(bytes)}`;
    const known = bytes.length <= SMALL ? this.#constants.get(key) : undefined;
    if (known) return known;
    const buffer = this.#make(bytes.length, usage, 'constant', key);
    if (!this.#rehearsal) this.#device.queue.writeBuffer(buffer, 0, bytes);
    this.#constants.set(key, buffer);
    return buffer;
  }

  isConstant(buffer: GPUBuffer): boolean {
    return this.#own.get(buffer) === 'constant';
  }

  owns(buffer: GPUBuffer): boolean {
    return this.#own.has(buffer);
  }

  /** Gives a buffer from outside a name, for comparisons and messages. */
  name(buffer: GPUBuffer, name: string): void {
    this.#names.set(buffer, name);
  }

  nameOf(buffer: GPUBuffer): string | undefined {
    return this.#names.get(buffer);
  }

  destroy(): void {
    if (this.#rehearsal) return;
    for (const buffer of this.#own.keys()) buffer.destroy();
    this.uniforms.destroy();
  }

  #make(size: number, usage: GPUBufferUsageFlags, kind: 'intermediate' | 'constant', name: string): GPUBuffer {
    const buffer = this.#rehearsal ? imagined(size, usage) : this.#device.createBuffer({ size, usage, label: name });
    this.#own.set(buffer, kind);
    this.#names.set(buffer, name);
    this.numBytesAllocated += size;
    return buffer;
  }
}

/** Something that passes for a buffer where nobody uses its contents. */
function imagined(size: number, usage: GPUBufferUsageFlags): GPUBuffer {
  return Object.create(GPUBuffer.prototype, {
    size: { value: size },
    usage: { value: usage },
    mapState: { value: 'unmapped' },
  }) as GPUBuffer;
}
