import { version_cpu } from '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import type { EngineDescription, EngineModule } from '@tfjs-ssl/ops';
import { SimdBackend } from './backend.ts';
import { registerGradients } from './gradients.ts';
import { kernels } from './kernels/index.ts';
import { PAGE } from './memory-layout.ts';
import { type Choices, chooseOptions, type SimdEngineOptions } from './options.ts';
import { processorName } from './platform.ts';
import { Runtime } from './runtime.ts';
import { agree } from './variant-agreement.ts';
import { chooseVariant, hasSimd } from './variants.ts';

const NAME = 'simd';
/** The engine's module. Its `start` takes more options than that of other engines. */
export interface SimdEngine extends EngineModule {
  start(options?: SimdEngineOptions): Promise<EngineDescription>;
}

interface Running {
  readonly runtime: Runtime;
  readonly description: EngineDescription;
}

let running: Promise<Running> | null = null;

async function startRuntime({ threads, sharedMemory, memoryLimit, revectorize }: Choices): Promise<Running> {
  const variant = await chooseVariant({ revectorize, shared: sharedMemory, agree });
  const runtime = await Runtime.start(variant, threads, Math.floor(memoryLimit / PAGE));
  registerKernels();
  tf.registerBackend(NAME, () => new SimdBackend(runtime), 3);
  const description: EngineDescription = {
    name: NAME,
    backend: NAME,
    device: `${processorName()}, ${threads} ${threads === 1 ? 'thread' : 'threads'}${sharedMemory ? '' : ', memory not shared'}`,
    version: `engine-simd 0.1.0 (kernels ${variant.name}) on TensorFlow.js cpu backend ${version_cpu}`,
    precisions: ['float32'],
    threads,
  };
  return { runtime, description };
}

/** Registers the kernels of this engine once, and those of the cpu backend for all other ops. */
function registerKernels(): void {
  if (tf.getKernel('Conv2D', NAME)) return;
  const own = new Set(kernels.map(({ kernelName }) => kernelName));
  for (const kernel of tf.getKernelsForBackend('cpu')) {
    if (!own.has(kernel.kernelName)) tf.registerKernel({ ...kernel, backendName: NAME });
  }
  for (const kernel of kernels) tf.registerKernel({ ...kernel, backendName: NAME });
  registerGradients(NAME);
}

/** The CPU engine: WebAssembly SIMD, with threads if they can share memory. */
export const simdEngine: SimdEngine = {
  name: NAME,

  async probe() {
    return hasSimd()
      ? { available: true }
      : { available: false, reason: 'this runtime has no WebAssembly SIMD. Use a newer one.' };
  },

  async start(options = {}) {
    const choices = chooseOptions(options);
    running ??= startRuntime(choices);
    let started: Running;
    try {
      started = await running;
    } catch (error) {
      running = null;
      throw error;
    }
    const { threads } = started.description;
    if (options.threads !== undefined && options.threads !== threads) {
      throw argumentError({
        fn: 'simdEngine.start',
        argument: 'threads',
        required: `be ${threads}, the number of threads that the running engine has`,
        got: options.threads,
        advice: 'Call simdEngine.stop() first.',
      });
    }
    await tf.setBackend(NAME);
    return started.description;
  },

  transfer: {
    readInto: (tensor, target) => (tf.backend() as SimdBackend).readInto(tensor, target),
    tensorOf: (values, shape) =>
      tf.engine().makeTensorFromTensorInfo((tf.backend() as SimdBackend).copyOf(values, shape)),
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
