import type { EngineModule } from '@tfjs-ssl/ops';

/** The package of each engine and its export: found at run time if it is installed. */
const packages: Readonly<Record<string, { readonly packageName: string; readonly exported: string }>> = {
  webgpu: { packageName: '@tfjs-ssl/engine-webgpu', exported: 'webgpuEngine' },
  tensorflow: { packageName: '@tfjs-ssl/engine-tensorflow', exported: 'tensorflowEngine' },
  simd: { packageName: '@tfjs-ssl/engine-simd', exported: 'simdEngine' },
  cpu: { packageName: '@tfjs-ssl/engine-cpu', exported: 'cpuEngine' },
};

/** An engine that `'auto'` tries, and whether to use it only if it computes on a GPU. */
export interface Candidate {
  readonly name: string;
  readonly onlyOnGpu: boolean;
}

/** What comes after one's own engines, fastest first. TensorFlow on the processor is no faster than `simd` on Node 20, and slower on Node 24. */
const fastestFirst: readonly Candidate[] = [
  { name: 'webgpu', onlyOnGpu: false },
  { name: 'tensorflow', onlyOnGpu: true },
  { name: 'simd', onlyOnGpu: false },
  { name: 'tensorflow', onlyOnGpu: false },
  { name: 'cpu', onlyOnGpu: false },
];

const registered = new Map<string, EngineModule>();

/** Result of looking for an engine: its module, or why there is none. */
export type FoundEngine = { readonly module: EngineModule } | { readonly reason: string };

/**
 * Registers an engine: your own, or an installed one in a bundle, which cannot look for packages at run time.
 *
 * @param module - an engine: `simdEngine`, `webgpuEngine`, `tensorflowEngine` or `cpuEngine` of its package, or your own.
 * @returns a function that undoes the registration and restores the engine it replaced.
 * @example
 * ```ts
 * import { registerEngine, startEngine } from '@tfjs-ssl/engine';
 * import { simdEngine } from '@tfjs-ssl/engine-simd';
 *
 * registerEngine(simdEngine);
 * console.log((await startEngine('simd')).device);
 * ```
 */
export function registerEngine(module: EngineModule): () => void {
  const { name } = module;
  const before = registered.get(name);
  registered.set(name, module);
  return () => {
    if (before) registered.set(name, before);
    else registered.delete(name);
  };
}

/** What `'auto'` tries, in this order. */
export function candidates(): Candidate[] {
  const own = [...registered.keys()].filter((known) => fastestFirst.every(({ name }) => name !== known));
  return [...own.map((name) => ({ name, onlyOnGpu: false })), ...fastestFirst];
}

/** Names of all engines that are known, each once. */
export function engineNames(): string[] {
  return [...new Set(candidates().map(({ name }) => name))];
}

/** The module of a known engine, imported if need be. */
export async function findEngine(name: string): Promise<FoundEngine> {
  const own = registered.get(name);
  if (own) return { module: own };
  const known = packages[name];
  if (!known) return { reason: 'no engine has that name' };
  const { packageName, exported } = known;
  try {
    const { [exported]: engine } = (await import(/* @vite-ignore */ packageName)) as Record<string, EngineModule>;
    if (!engine) {
      return {
        reason: `the installed ${packageName} exports no ${exported}. Install the version of @tfjs-ssl/engine.`,
      };
    }
    registered.set(name, engine);
    return { module: engine };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_MODULE_NOT_FOUND' && message.includes(packageName)) {
      return { reason: `the package ${packageName} is not installed. Run \`npm install ${packageName}\`.` };
    }
    // what browsers say of a package's name
    if (error instanceof Error && error.name === 'TypeError' && message.includes(packageName)) {
      return { reason: `a page cannot look for packages. Pass the engine of ${packageName} to \`registerEngine\`.` };
    }
    throw error;
  }
}
