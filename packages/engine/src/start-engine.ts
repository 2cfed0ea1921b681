import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import {
  type EngineDescription,
  type EngineModule,
  type EngineOptions,
  registerAveragePoolGradients,
} from '@tfjs-ssl/ops';
import { candidates, engineNames, findEngine } from './engine-registry.ts';

/** The engine in use, and the engines that `'auto'` tried before it. */
export interface EngineInUse extends EngineDescription {
  /** Engines that `'auto'` passed over, each with the reason; empty if an engine was named. */
  readonly passedOver: ReadonlyArray<{ readonly name: string; readonly reason: string }>;
}

/** One line of {@link availableEngines}. */
export interface KnownEngine {
  readonly name: string;
  readonly available: boolean;
  /** Why the engine cannot run here and what to do; absent if it can. */
  readonly reason?: string;
}

/** What to do with names by which people look for an engine. */
const otherNames: Readonly<Record<string, string>> = Object.fromEntries([
  ...['cuda', 'nvidia', 'tf', 'tfjs', 'node', 'tfjs-node', 'tfjs-node-gpu'].map((name) => [
    name,
    "TensorFlow computes with CUDA: 'tensorflow'.",
  ]),
  ...['gpu', 'gl', 'webgl', 'metal', 'vulkan', 'dawn', 'wgsl'].map((name) => [
    name,
    "Any GPU computes with 'webgpu', one of NVIDIA also with 'tensorflow'.",
  ]),
  ...['wasm', 'webassembly', 'threads', 'native'].map((name) => [name, "WebAssembly on all cores is 'simd'."]),
  ...['js', 'javascript'].map((name) => [
    name,
    "The reference in JavaScript is 'cpu'; 'simd' is the fast one for processors.",
  ]),
]);

let current: EngineInUse | null = null;
let currentModule: EngineModule | null = null;

/**
 * Starts an engine, which then computes everything.
 *
 * @param name - `'auto'` (the fastest available) or the name of one engine, see {@link availableEngines}.
 * @param options - threads, `requireGpu` and others; see `EngineOptions`.
 * @returns the engine's name, device, version and precisions, and the engines that `'auto'` passed over, with reasons. Print it.
 * @throws RangeError for an unknown name; Error if the named engine cannot run here, with what to do. A named
 * engine is never replaced by another.
 * @example
 * ```ts
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * const { name, device, threads } = await startEngine('auto');
 * console.log(`${name} on ${device}, ${threads} threads`);
 * ```
 */
export async function startEngine(name = 'auto', options: EngineOptions = {}): Promise<EngineInUse> {
  const known = engineNames();
  if (name !== 'auto' && !known.includes(name)) {
    const meant = otherNames[String(name).toLowerCase()];
    throw argumentError({
      fn: 'startEngine',
      argument: 'name',
      required: `be one of 'auto', ${known.map((n) => `'${n}'`).join(', ')}`,
      got: name,
      advice: meant ?? 'Register an engine of your own with registerEngine.',
    });
  }
  const reasons = new Map<string, string>();
  // software that plays a GPU is never the fastest: it has to be named
  const choices: EngineOptions = name === 'auto' ? { ...options, softwareAdapter: false } : options;
  for (const candidate of name === 'auto' ? candidates() : [{ name, onlyOnGpu: false }]) {
    const found = await findEngine(candidate.name);
    const reason = 'reason' in found ? found.reason : await whyNot(found.module, choices, candidate.onlyOnGpu);
    if (reason === null && 'module' in found) {
      reasons.delete(candidate.name);
      const passedOver = [...reasons].map(([engine, why]) => ({ name: engine, reason: why }));
      current = { ...(await found.module.start(choices)), passedOver };
      registerAveragePoolGradients();
      currentModule = found.module;
      return current;
    }
    reasons.set(candidate.name, reason ?? '');
  }
  const lines = [...reasons].map(([engine, why]) => `engine '${engine}' cannot run here: ${why}`);
  throw new Error(`startEngine: ${lines.join('\n')}`);
}

/**
 * Why an engine is not taken; null if it is.
 *
 * @param onlyOnGpu - whether to use it only if it computes on a GPU, because `simd` is faster otherwise.
 */
async function whyNot(module: EngineModule, options: EngineOptions = {}, onlyOnGpu = false): Promise<string | null> {
  const demanded = options.requireGpu === true;
  const found = await module.probe(onlyOnGpu ? { ...options, requireGpu: true } : options);
  const noGpu = found.available ? !found.gpu : found.onlyGpuMissing;
  if (onlyOnGpu && noGpu && !demanded) {
    return 'it finds no GPU, and the engine simd is faster on the processor. Name this engine to use it anyway.';
  }
  if (!found.available) return found.reason;
  if (demanded && !found.gpu) {
    return 'requireGpu needs a GPU, and this engine computes on the processor. Name an engine for GPUs, or leave requireGpu out.';
  }
  return null;
}

/**
 * Lists every known engine and whether it can run here.
 *
 * @returns the engines in the order in which `'auto'` tries them; each appears once, at its first place.
 */
export async function availableEngines(): Promise<KnownEngine[]> {
  const tried = await Promise.all(
    candidates().map(async ({ name, onlyOnGpu }): Promise<KnownEngine> => {
      const found = await findEngine(name);
      const reason = 'reason' in found ? found.reason : await whyNot(found.module, {}, onlyOnGpu);
      return reason === null ? { name, available: true } : { name, available: false, reason };
    }),
  );
  return tried.filter((engine) => {
    const same = tried.filter(({ name }) => name === engine.name);
    return engine === (same.find(({ available }) => available) ?? same.at(-1));
  });
}

/**
 * The engine that {@link startEngine} started last.
 *
 * @throws Error before the first call of `startEngine`.
 */
export function currentEngine(): EngineInUse {
  if (!current) throw new Error("currentEngine: no engine has been started. Call `await startEngine('auto')` first.");
  return current;
}

/** The module of the engine in use if its backend is the current one of TensorFlow.js; null if something else computes. */
export function moduleInUse(): EngineModule | null {
  return current?.backend === tf.getBackend() ? currentModule : null;
}

/**
 * Whether the engine in use computes beside the calling thread. A step then returns before it is done, and the caller can prepare the
 * next one meanwhile.
 */
export function runsAhead(): boolean {
  return moduleInUse() !== null && current?.runsAhead === true;
}
