import { registerEngine, startEngine } from '@tfjs-ssl/engine';
import { type SimdEngineOptions, simdEngine } from '@tfjs-ssl/engine-simd';
import { webgpuEngine } from '@tfjs-ssl/engine-webgpu';
import { type Training, train } from './train.ts';

/** What a page is asked for: an engine and how to start it. */
export interface Question {
  readonly engine: 'simd' | 'webgpu';
  readonly options?: SimdEngineOptions;
}

/** What a page answers: how the engine describes itself and what it has trained, or why it has not. */
export type Answer =
  | ({ readonly device: string; readonly threads: number; readonly isolated: boolean } & Training)
  | { readonly error: string };

/** Trains as asked. */
export async function answer({ engine, options = {} }: Question): Promise<Answer> {
  try {
    for (const module of [simdEngine, webgpuEngine]) registerEngine(module);
    const { device, threads } = await startEngine(engine, options);
    return { device, threads, isolated: globalThis.crossOriginIsolated, ...(await train()) };
  } catch (error) {
    return { error: String(error) };
  }
}
