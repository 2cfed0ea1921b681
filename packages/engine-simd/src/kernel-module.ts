import { MAXIMUM_PAGES } from './memory-layout.ts';

/** What the compiled kernels export; `assembly/` has the descriptions. */
export interface KernelExports {
  readonly ROWS: WebAssembly.Global<'i32'>;
  readonly COLUMNS: WebAssembly.Global<'i32'>;
  run(job: number, tasks: number, spin: number): number;
  endWorkers(): void;
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

/** A shared memory of at least so many pages that the kernels can work on. */
export function createMemory(pages: number): WebAssembly.Memory {
  return new WebAssembly.Memory({ initial: pages, maximum: MAXIMUM_PAGES, shared: true });
}

/** Puts the kernels on a memory, for the calling thread. */
export async function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Promise<KernelExports> {
  const abort = (): never => {
    throw new Error('engine-simd: a kernel gave up');
  };
  const { exports } = await WebAssembly.instantiate(module, { env: { memory, abort, pause: () => {} } });
  return exports as unknown as KernelExports;
}
