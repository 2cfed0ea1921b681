/** Compiles the AssemblyScript kernels into `wasm/` where the sources have changed since the last time. */
export function buildKernels(): Promise<void>;
