/** A number in a uniform block, with its type in WGSL. */
export interface UniformValue {
  readonly type: 'u32' | 'i32' | 'f32';
  readonly value: number;
}

/** @returns an unsigned integer for a uniform block. */
export const u32 = (value: number): UniformValue => ({ type: 'u32', value });
/** @returns an integer for a uniform block. */
export const i32 = (value: number): UniformValue => ({ type: 'i32', value });
/** @returns a float for a uniform block. */
export const f32 = (value: number): UniformValue => ({ type: 'f32', value });

const BLOCK_BYTES = 65536;

/**
 * Small uniform blocks by their contents: equal numbers share one slice of a buffer, which is written once and never changes, so that
 * recorded work can go on reading it.
 *
 * Uniforms are for sizes, strides and the like, of which a program has few. What changes from step to step is a tensor.
 */
export class UniformCache {
  readonly #device: GPUDevice;
  readonly #imagined: boolean;
  readonly #slices = new Map<string, GPUBufferBinding>();
  readonly #contents = new WeakMap<object, string>();
  readonly #buffers: GPUBuffer[] = [];
  #used = BLOCK_BYTES;

  /**
   * @param device - the device that reads them.
   * @param imagined - makes slices that nobody will read. Default: false.
   */
  constructor(device: GPUDevice, imagined = false) {
    this.#device = device;
    this.#imagined = imagined;
  }

  /** The slice that holds these numbers one after another. */
  slice(values: readonly UniformValue[]): GPUBufferBinding {
    const words = new Uint32Array(Math.ceil(values.length / 4) * 4);
    const floats = new Float32Array(words.buffer);
    values.forEach(({ type, value }, i) => {
      if (type === 'f32') floats[i] = value;
      else words[i] = value;
    });
    return this.sliceOf(words);
  }

  /** The slice that holds these words. */
  sliceOf(words: Uint32Array<ArrayBuffer>): GPUBufferBinding {
    const key = words.join();
    const known = this.#slices.get(key);
    if (known) return known;
    const slice = this.#imagined ? { buffer: null as unknown as GPUBuffer } : this.#write(words);
    this.#slices.set(key, slice);
    this.#contents.set(slice, key);
    return slice;
  }

  /** The words of a slice of this cache as text; undefined for anything else. */
  contentsOf(resource: object): string | undefined {
    return this.#contents.get(resource);
  }

  destroy(): void {
    for (const buffer of this.#buffers) buffer.destroy();
  }

  #write(words: Uint32Array<ArrayBuffer>): GPUBufferBinding {
    if (this.#used + words.byteLength > BLOCK_BYTES) {
      const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
      this.#buffers.push(this.#device.createBuffer({ label: 'uniforms', size: BLOCK_BYTES, usage }));
      this.#used = 0;
    }
    const slice = { buffer: this.#buffers.at(-1) as GPUBuffer, offset: this.#used, size: words.byteLength };
    this.#device.queue.writeBuffer(slice.buffer, slice.offset, words);
    const alignment = this.#device.limits.minUniformBufferOffsetAlignment;
    this.#used += Math.ceil(words.byteLength / alignment) * alignment;
    return slice;
  }
}
