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
  readonly #slices = new Map<string, GPUBufferBinding>();
  #buffer: GPUBuffer | null = null;
  #used = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** The slice that holds these numbers one after another. */
  slice(values: readonly UniformValue[]): GPUBufferBinding {
    const words = new Uint32Array(Math.ceil(values.length / 4) * 4);
    const floats = new Float32Array(words.buffer);
    values.forEach(({ type, value }, i) => {
      if (type === 'f32') floats[i] = value;
      else words[i] = value;
    });
    const key = words.join();
    const known = this.#slices.get(key);
    if (known) return known;

    if (!this.#buffer || this.#used + words.byteLength > BLOCK_BYTES) {
      this.#buffer = this.#device.createBuffer({
        label: 'uniforms',
        size: BLOCK_BYTES,
        usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
      });
      this.#used = 0;
    }
    const slice = { buffer: this.#buffer, offset: this.#used, size: words.byteLength };
    this.#device.queue.writeBuffer(slice.buffer, slice.offset, words);
    const alignment = this.#device.limits.minUniformBufferOffsetAlignment;
    this.#used += Math.ceil(words.byteLength / alignment) * alignment;
    this.#slices.set(key, slice);
    return slice;
  }
}
