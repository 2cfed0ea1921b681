/**
 * A value of kernels that compute on float32: one number, or four that lie side by side; or eight of which a kernel makes what it likes: they
 * lie as one `vec4u` where they are float16, else as two `vec4f`.
 */
export type Value = 'f32' | 'vec4f' | 'eight';

/** Types of such values in memory. */
const types = { f32: 'f32', vec4f: 'vec4f', eight: 'vec4f' } as const;
const halves = { f32: 'f16', vec4f: 'vec4<f16>', eight: 'vec4u' } as const;

/**
 * How a program's values lie in memory, for the WGSL that reads and writes them: kernels compute in float32 either way, and round what they
 * store as float16.
 *
 * Without float16 the text is that of plain indexing.
 */
export class Memory {
  readonly #halves: ReadonlyMap<string, Value>;

  /** @param halves - buffers whose values lie as float16, and the values that the program makes of them. */
  constructor(halves: ReadonlyMap<string, Value> = new Map()) {
    this.#halves = halves;
  }

  /** Names of the buffers that lie as float16. */
  get halves(): string[] {
    return [...this.#halves.keys()];
  }

  /** WGSL type of the elements of a buffer that a program calls `value`. */
  type(buffer: string, value: Value): string {
    return (this.#halves.has(buffer) ? halves : types)[value];
  }

  /** WGSL expression of an element, as float32. */
  load(buffer: string, index: string): string {
    const value = this.#halves.get(buffer);
    return value ? `${value}(${buffer}[${index}])` : `${buffer}[${index}]`;
  }

  /** WGSL statement that stores an expression of float32. */
  store(buffer: string, index: string, expression: string): string {
    const value = this.#halves.get(buffer);
    return `${buffer}[${index}] = ${value ? `${halves[value]}(${expression})` : expression};`;
  }
}
