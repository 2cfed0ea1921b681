import { version_cpu } from '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { EngineDescription, EngineModule, EngineOptions } from '@tfjs-ssl/ops';
import { SimdBackend } from './backend.ts';
import { registerGradients } from './gradients.ts';
import { kernels } from './kernels/index.ts';
import { environment, processorName, processors } from './platform.ts';
import { Runtime } from './runtime.ts';
import { agree } from './variant-agreement.ts';
import { chooseVariant } from './variants.ts';

const NAME = 'simd';
const MOST_THREADS = 256;
const noSharedMemory =
  'SharedArrayBuffer is missing. In a browser, serve the page with the headers Cross-Origin-Opener-Policy: same-origin and ' +
  'Cross-Origin-Embedder-Policy: require-corp.';

/** Choices for the start of this engine. */
export interface SimdEngineOptions extends EngineOptions {
  /**
   * Whether V8's re-vectoriser (256-bit vectors; experimental, in V8 13 and newer) may be used where it is faster and agrees bit for bit.
   * Default: true, unless the environment variable `TFJS_SSL_REVECTORIZE` is 0.
   */
  readonly revectorize?: boolean;
}

/** The engine's module; its start takes more options than other engines have. */
export interface SimdEngine extends EngineModule {
  start(options?: SimdEngineOptions): Promise<EngineDescription>;
}

interface Running {
  readonly runtime: Runtime;
  readonly description: EngineDescription;
}

let running: Promise<Running> | null = null;

async function startRuntime(threads: number, revectorize: boolean): Promise<Running> {
  const variant = await chooseVariant({ revectorize, agree });
  const runtime = await Runtime.start(variant, threads);
  registerKernels();
  tf.registerBackend(NAME, () => new SimdBackend(runtime), 3);
  const description: EngineDescription = {
    name: NAME,
    backend: NAME,
    device: `${processorName()}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    version: `engine-simd 0.1.0 (kernels ${variant.name}) on TensorFlow.js cpu backend ${version_cpu}`,
    precisions: ['float32'],
    threads,
  };
  return { runtime, description };
}

/** Registers, once, the kernels of this engine, and for everything else those of the cpu backend. */
function registerKernels(): void {
  if (tf.getKernel('Conv2D', NAME)) return;
  const own = new Set(kernels.map(({ kernelName }) => kernelName));
  for (const kernel of tf.getKernelsForBackend('cpu')) {
    if (!own.has(kernel.kernelName)) tf.registerKernel({ ...kernel, backendName: NAME });
  }
  for (const kernel of kernels) tf.registerKernel({ ...kernel, backendName: NAME });
  registerGradients(NAME);
}

/** The CPU engine: WebAssembly SIMD on shared memory, with threads. */
export const engine: SimdEngine = {
  name: NAME,

  async probe() {
    return typeof SharedArrayBuffer === 'undefined'
      ? { available: false, reason: noSharedMemory }
      : { available: true };
  },

  async start({ threads: given, revectorize = environment('TFJS_SSL_REVECTORIZE') !== '0' } = {}) {
    const threads = given ?? Math.min(MOST_THREADS, processors());
    if (!Number.isInteger(threads) || threads < 1 || threads > MOST_THREADS) {
      throw new RangeError(
        `engine-simd: threads must be an integer from 1 to ${MOST_THREADS}, got ${threads}. Leave it out to use all processors.`,
      );
    }
    if (typeof SharedArrayBuffer === 'undefined') throw new Error(`engine-simd: ${noSharedMemory}`);
    running ??= startRuntime(threads, revectorize);
    let started: Running;
    try {
      started = await running;
    } catch (error) {
      running = null;
      throw error;
    }
    if (given !== undefined && given !== started.description.threads) {
      throw new Error(
        `engine-simd: the engine runs with ${started.description.threads} threads, got a request for ${given}. Call engine.stop() first.`,
      );
    }
    await tf.setBackend(NAME);
    return started.description;
  },

  async stop() {
    const stopping = running;
    running = null;
    if (!stopping) return;
    const { runtime } = await stopping;
    await runtime.pool.stop();
    tf.removeBackend(NAME);
  },
};
