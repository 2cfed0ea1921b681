import * as tf from '@tensorflow/tfjs-core';
import { SimdBackend } from './backend.ts';
import { MULTIPLY_ADDS } from './task-ids.ts';

/** Tasks per thread. There are many, so that the other threads take over if one is held up, as in any kernel. */
const TASKS = 32;
/** Multiply-adds of a task: a multiple of what the loops of every variant do in one pass. All tasks together take about 10 ms. */
const WORK = 128 * 4 * 6 * 16 * 7 * 20;

/**
 * Measures the highest rate of multiply-adds that the processor reaches with this engine's threads and build of the kernels. It tries multiply-adds in registers, and the micro-kernel of
 * products on operands in the first-level cache, and returns the faster.
 *
 * The engine `simd` must run. A call takes about 20 ms. The code may not be optimised yet at the first call on a fresh engine, so use the
 * best of several calls.
 *
 * @returns FLOP/s, float32; a multiply-add counts as two.
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
      `measurePeak: engine 'simd' must be running, got the backend '${tf.getBackend()}'. Call startEngine('simd') first.`,
    );
  }
  const { runtime } = backend;
  const tasks = TASKS * runtime.threads;
  const rates = [0, 1].map((tiled) => {
    const start = performance.now();
    runtime.runOnce(tasks, MULTIPLY_ADDS, tiled, WORK);
    runtime.pool.finish();
    return (2 * tasks * WORK) / ((performance.now() - start) / 1000);
  });
  return Math.max(...rates);
}
