import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { environment, processors } from '@tfjs-ssl/files';
import type { EngineOptions } from '@tfjs-ssl/ops';
import { heapStart, MAXIMUM_PAGES, PAGE } from './memory-layout.ts';

/** The function that errors name. */
const fn = 'simdEngine.start';
const MOST_THREADS = 256;
const MOST_MEMORY = MAXIMUM_PAGES * PAGE;

/** Choices for the start of this engine. */
export interface SimdEngineOptions extends EngineOptions {
  /**
   * Number of threads that compute, including the calling thread. Default: the environment variable `TFJS_SSL_THREADS`, else the number of processors that this
   * process may use (which respects the quota of its container). If memory is not shared, the default is 1.
   */
  readonly threads?: number;
  /**
   * Whether to keep tensors in memory that threads can share. Without it, one thread computes, with the same results. Default: true if `SharedArrayBuffer` exists
   * and the environment variable `TFJS_SSL_SHARED_MEMORY` is not 0.
   */
  readonly sharedMemory?: boolean;
  /** Limit of the memory for tensors, in bytes. Default: 4 GiB, the range of 32-bit addresses. */
  readonly memoryLimit?: number;
  /**
   * Whether the engine may use V8's experimental re-vectoriser (256-bit vectors; V8 13 and newer) if it is faster and agrees bit for bit.
   * Default: true, unless the environment variable `TFJS_SSL_REVECTORIZE` is 0.
   */
  readonly revectorize?: boolean;
}

/** What a start of the engine does. */
export type Choices = Required<Pick<SimdEngineOptions, 'threads' | 'sharedMemory' | 'memoryLimit' | 'revectorize'>>;

/**
 * Fills in the defaults of options that were not given.
 *
 * @throws RangeError for numbers that make no sense; Error for threads or shared memory where there can be none, with what to do.
 */
export function chooseOptions(asked: SimdEngineOptions): Choices {
  const isThere = typeof SharedArrayBuffer !== 'undefined';
  // what the environment says is for whoever names nothing
  const unwanted = environment('TFJS_SSL_SHARED_MEMORY') === '0' && !((asked.threads ?? 1) > 1);
  const sharedMemory = asked.sharedMemory ?? (isThere && !unwanted);
  const threads = asked.threads ?? (sharedMemory ? usualThreads() : 1);
  checkNumber(fn, 'threads', threads, { min: 1, max: MOST_THREADS, integer: true }, 'Leave it out for all processors.');
  if ((sharedMemory || threads > 1) && !isThere) {
    throw new Error(
      `${fn}: ${threads > 1 ? `${threads} threads need` : 'sharedMemory needs'} SharedArrayBuffer, which is missing. In a browser, serve the ` +
        'page with the headers Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp, or use 1 thread.',
    );
  }
  if (!sharedMemory && threads > 1) {
    throw argumentError({
      fn,
      argument: 'threads',
      required: 'be 1 if sharedMemory is false',
      got: threads,
      advice: 'Leave one of the two out.',
    });
  }
  const { memoryLimit = MOST_MEMORY } = asked;
  const least = heapStart(threads) + PAGE;
  if (!(memoryLimit >= least && memoryLimit <= MOST_MEMORY)) {
    throw argumentError({
      fn,
      argument: 'memoryLimit',
      required: `be from ${least} bytes (with ${threads} threads) to ${MOST_MEMORY}`,
      got: memoryLimit,
      advice: 'Leave it out for the largest.',
    });
  }
  return {
    threads,
    sharedMemory,
    memoryLimit,
    revectorize: asked.revectorize ?? environment('TFJS_SSL_REVECTORIZE') !== '0',
  };
}

function usualThreads(): number {
  const named = environment('TFJS_SSL_THREADS');
  return named ? Number(named) : Math.min(MOST_THREADS, processors());
}
