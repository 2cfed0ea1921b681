/** A build of the kernels: `scripts/variants.mjs` has the list. */
export interface Variant {
  readonly name: string;
  readonly module: WebAssembly.Module;
  /** Whether it is built for threads on a shared memory, or for one thread on a memory of its own. */
  readonly shared: boolean;
  /** Tile of the result that a micro-kernel keeps in registers. */
  readonly rows: number;
  readonly columns: number;
}
