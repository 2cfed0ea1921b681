import * as tf from '@tensorflow/tfjs-core';
import { SimdBackend } from './backend.ts';
import { MULTIPLY_ADDS } from './task-ids.ts';

/** Tasks for each thread: many, so that a thread that is held up leaves its share to others, as in any kernel. */
const TASKS = 32;
/** Multiply-adds of a task, a multiple of what the loops of every variant do in one pass; all together take some 10 ms. */
const WORK = 128 * 4 * 6 * 16 * 7 * 20;

/**
 * What the processor does at most with this engine's threads and build of the kernels: multiply-adds in registers, or in the micro-kernel of
 * products on operands that stay in the first cache, whichever is faster.
 *
 * The engine `simd` must run. Takes some 20 ms; the first call on a fresh engine may meet code that is not yet optimised, so take the
 * best of several.
 *
 * @returns FLOP/s, float32; a multiply-add is two.
 * @throws Error if another engine runs.
 *
 * @example
 * ```ts
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { measurePeak } from '@tfjs-ssl/engine-simd/profile';
 *
 * await startEngine('simd');
 * const rates = Array.from({ length: 5 }, measurePeak);
 * console.log(`${(Math.max(...rates) / 1e9).toFixed(0)} GFLOP/s`);
 * ```
 */
export function measurePeak(): number {
  const backend = tf.backend();
  if (!(backend instanceof SimdBackend)) {
    throw new Error(
      `measurePeak: the engine 'simd' must run, got the backend '${tf.getBackend()}'. Call startEngine('simd') first.`,
    );
  }
  const { runtime } = backend;
  const tasks = TASKS * runtime.threads;
  const rates = [0, 1].map((tiled) => {
    const start = performance.now();
    runtime.runOnce(tasks, MULTIPLY_ADDS, tiled, WORK);
    return (2 * tasks * WORK) / ((performance.now() - start) / 1000);
  });
  return Math.max(...rates);
}
