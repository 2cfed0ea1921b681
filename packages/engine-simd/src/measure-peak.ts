import * as tf from '@tensorflow/tfjs-core';
import { SimdBackend } from './backend.ts';
import { MULTIPLY_ADDS } from './task-ids.ts';

/** Vectors that a loop works on in turns: `assembly/generated/micro.ts` has one loop for each. */
const CHAINS = [14, 24] as const;
const FLOPS_OF_VECTOR = 8;
/** Tasks for each thread: many, so that a thread that is held up leaves its share to others, as in any kernel. */
const TASKS = 32;
/** Passes of a task's loop; all together take some 10 ms. */
const REPETITIONS = 30_000;

/**
 * What the processor does at most with this engine's threads and build of the kernels: multiply-adds that wait for nothing but each other.
 *
 * The engine `simd` must run. Takes some 20 ms; the first call on a fresh engine may meet code that is not yet optimised, so take the
 * best of several.
 *
 * @returns FLOP/s, float32; a multiply-add is two.
 * @throws Error where another engine runs.
 *
 * @example
 * ```ts
 * import { useEngine } from '@tfjs-ssl/engine';
 * import { measurePeak } from '@tfjs-ssl/engine-simd';
 *
 * await useEngine('simd');
 * const rates = Array.from({ length: 5 }, measurePeak);
 * console.log(`${(Math.max(...rates) / 1e9).toFixed(0)} GFLOP/s`);
 * ```
 */
export function measurePeak(): number {
  const backend = tf.backend();
  if (!(backend instanceof SimdBackend)) {
    throw new Error(
      `measurePeak: the engine 'simd' must run, got the backend '${tf.getBackend()}'. Call useEngine('simd') first.`,
    );
  }
  const { runtime } = backend;
  const rates = CHAINS.map((chains) => {
    const start = performance.now();
    const tasks = TASKS * runtime.threads;
    runtime.runOnce(tasks, MULTIPLY_ADDS, chains, REPETITIONS);
    const seconds = (performance.now() - start) / 1000;
    return (tasks * chains * REPETITIONS * FLOPS_OF_VECTOR) / seconds;
  });
  return Math.max(...rates);
}
