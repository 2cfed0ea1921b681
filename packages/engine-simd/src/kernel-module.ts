import { MAXIMUM_PAGES, PAGE } from './memory-layout.ts';

/** What the compiled kernels export; `assembly/` has the descriptions. */
export interface KernelExports {
  readonly ROWS: WebAssembly.Global<'i32'>;
  readonly COLUMNS: WebAssembly.Global<'i32'>;
  begin(job: number, tasks: number): void;
  /** These are absent where the kernels are built for one thread. */
  finish?(tasks: number, spin: number, patience: number): number;
  lookForEnd?(tasks: number, turns: number): number;
  endWorkers?(): void;
  microLoop(kind: number, k: number, repetitions: number): void;
  finishBatchNorm(parts: number, rows: number, block: number, channels: number, mean: number, variance: number): void;
  finishBatchNormGradient(
    parts: number,
    blocks: number,
    channels: number,
    variance: number,
    epsilon: number,
    dgamma: number,
    dbeta: number,
  ): void;
}

/**
 * A memory that the kernels can work on.
 *
 * @param pages - its size at first.
 * @param shared - whether threads shall share it: the kernels must be built for that.
 * @param maximum - most pages that it may grow to.
 * @throws Error if that much cannot be reserved.
 */
export function createMemory(pages: number, shared: boolean, maximum: number = MAXIMUM_PAGES): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: pages, maximum, shared });
  } catch (cause) {
    const mebibytes = (maximum * PAGE) / 2 ** 20;
    throw new Error(
      `engine-simd: a memory that may grow to ${mebibytes} MiB cannot be reserved here. Set a lower memoryLimit, or give the process more address space.`,
      { cause },
    );
  }
}

/** Puts the kernels on a memory, for the calling thread. */
export async function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Promise<KernelExports> {
  const abort = (): never => {
    throw new Error('engine-simd: a kernel aborted.');
  };
  const { exports } = await WebAssembly.instantiate(module, { env: { memory, abort, pause: () => {} } });
  return exports as unknown as KernelExports;
}
