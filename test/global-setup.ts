import { buildKernels } from '../packages/engine-simd/scripts/build-kernels.mjs';

/** The tests run from source; only the WebAssembly kernels have to be compiled first. */
export async function setup(): Promise<void> {
  await buildKernels();
}
