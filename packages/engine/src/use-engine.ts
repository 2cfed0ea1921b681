import * as tf from '@tensorflow/tfjs-core';
import type { EngineDescription, EngineModule, EngineOptions } from '@tfjs-ssl/ops';
import { engineNames, findEngine } from './engine-registry.ts';

/** The engine in use, with those that `'auto'` would rather have had. */
export interface EngineInUse extends EngineDescription {
  /** Engines that `'auto'` passed over on the way, each with its reason; empty where an engine was named. */
  readonly passedOver: ReadonlyArray<{ readonly name: string; readonly reason: string }>;
}

/** One line of {@link availableEngines}. */
export interface KnownEngine {
  readonly name: string;
  readonly available: boolean;
  /** Why it cannot run here and what to do; absent where it can. */
  readonly reason?: string;
}

let current: EngineInUse | null = null;
let currentModule: EngineModule | null = null;

/**
 * Chooses the engine that computes from here on and starts it.
 *
 * @param name - `'auto'` (the fastest that is there) or the name of one engine, see {@link availableEngines}.
 * @param options - threads, `requireGpu` and the like; see `EngineOptions`.
 * @returns what was chosen: name, device, version, precisions, and what `'auto'` passed over and why. Print it.
 * @throws RangeError for a name that is not known; Error where the named engine cannot run here, with what to do. A named
 * engine is never replaced by another one.
 * @example
 * ```ts
 * import { useEngine } from '@tfjs-ssl/engine';
 *
 * const { name, device, threads } = await useEngine('auto');
 * console.log(`${name} on ${device}, ${threads} threads`);
 * ```
 */
export async function useEngine(name = 'auto', options: EngineOptions = {}): Promise<EngineInUse> {
  const known = engineNames();
  if (name !== 'auto' && !known.includes(name)) {
    throw new RangeError(
      `useEngine: name must be one of 'auto', ${known.map((n) => `'${n}'`).join(', ')}, got '${name}'. ` +
        'An engine of your own is made known by registerEngine.',
    );
  }
  const passedOver: Array<{ name: string; reason: string }> = [];
  // software that plays a GPU is never the fastest: it has to be named
  const choices: EngineOptions = name === 'auto' ? { ...options, softwareAdapter: false } : options;
  for (const candidate of name === 'auto' ? known : [name]) {
    const found = await findEngine(candidate);
    const reason = 'reason' in found ? found.reason : await whyNot(found.module, choices);
    if (reason === null && 'module' in found) {
      current = { ...(await found.module.start(choices)), passedOver };
      currentModule = found.module;
      return current;
    }
    passedOver.push({ name: candidate, reason: reason ?? '' });
  }
  const reasons = passedOver.map((engine) => `engine '${engine.name}' cannot run here: ${engine.reason}`);
  throw new Error(`useEngine: ${reasons.join('\n')}`);
}

async function whyNot(module: EngineModule, options: EngineOptions = {}): Promise<string | null> {
  const found = await module.probe(options);
  if (!found.available) return found.reason;
  if (options.requireGpu && !found.gpu) {
    return 'a GPU was demanded, and it computes on the processor. Name an engine for GPUs, or leave requireGpu out.';
  }
  return null;
}

/**
 * Lists every known engine and whether it can run here.
 *
 * @returns the engines in the order in which `'auto'` tries them.
 */
export async function availableEngines(): Promise<KnownEngine[]> {
  return Promise.all(
    engineNames().map(async (name) => {
      const found = await findEngine(name);
      const reason = 'reason' in found ? found.reason : await whyNot(found.module);
      return reason === null ? { name, available: true } : { name, available: false, reason };
    }),
  );
}

/**
 * The engine chosen last by {@link useEngine}.
 *
 * @throws Error before the first call of `useEngine`.
 */
export function currentEngine(): EngineInUse {
  if (!current) throw new Error("currentEngine: no engine has been chosen yet. Call `await useEngine('auto')` first.");
  return current;
}

/** The module of the engine in use where its backend is the current one of TensorFlow.js; null where something else computes. */
export function moduleInUse(): EngineModule | null {
  return current?.backend === tf.getBackend() ? currentModule : null;
}

/**
 * Says whether the engine in use computes beside the calling thread, so that a step returns before it is done and the next one can be
 * prepared meanwhile.
 */
export function runsAhead(): boolean {
  return moduleInUse() !== null && current?.runsAhead === true;
}
