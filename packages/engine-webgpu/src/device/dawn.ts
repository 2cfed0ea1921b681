/** What the package `webgpu` (Dawn for Node) exports. */
interface Dawn {
  create(options: string[]): GPU;
  readonly globals: object;
}

/**
 * Toggles of Dawn that the engine needs: timestamps in nanoseconds; subgroup matrices, which are behind `allow_unsafe_apis`; and float16
 * on NVIDIA's Vulkan driver, which Dawn hides for drivers before 615.71.
 */
const enabled = ['allow_unsafe_apis', 'vulkan_enable_f16_on_nvidia'];
const disabled = ['timestamp_quantization'];

/**
 * Makes Dawn's entry to the GPUs of this machine, in Node.
 *
 * The names that WebGPU adds to the global scope of a browser (`GPUBuffer`, `GPUBufferUsage`, ...) become global here too, as
 * TensorFlow.js uses them.
 *
 * @param options - further options of Dawn, for example `'backend=null'`.
 * @param unchecked - whether programs are compiled without checks of their indices.
 * @returns the entry, or null where the package `webgpu` is not installed.
 */
export async function openDawn(options: readonly string[], unchecked: boolean): Promise<GPU | null> {
  // put together at run time: Vite's development server refuses a page with an import, even one never reached, that it cannot find
  const specifier = ['web', 'gpu'].join('');
  let dawn: Dawn;
  try {
    dawn = (await import(/* @vite-ignore */ /* webpackIgnore: true */ specifier)) as Dawn;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return null;
    throw error;
  }
  Object.assign(globalThis, dawn.globals);
  const toggles = [...enabled, ...(unchecked ? ['disable_robustness'] : [])];
  return dawn.create([
    `enable-dawn-features=${toggles.join()}`,
    `disable-dawn-features=${disabled.join()}`,
    ...options,
  ]);
}
