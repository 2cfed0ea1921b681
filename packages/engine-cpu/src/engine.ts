import * as tf from '@tensorflow/tfjs-core';
import type { EngineModule } from '@tfjs-ssl/ops';
import { registerCpuKernels } from './kernels.ts';

const missing =
  'the package @tensorflow/tfjs-backend-cpu is not installed. Run `npm install @tensorflow/tfjs-backend-cpu`.';

async function loadBackend(): Promise<{ version_cpu: string } | null> {
  try {
    return await import('@tensorflow/tfjs-backend-cpu');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return null;
    throw error;
  }
}

/**
 * The reference engine: the `cpu` backend of TensorFlow.js in plain JavaScript, with float64 sums in convolutions and matrix products. It is right but slow. Every
 * other engine is tested against it.
 */
export const cpuEngine: EngineModule = {
  name: 'cpu',

  async probe() {
    return (await loadBackend()) ? { available: true } : { available: false, reason: missing };
  },

  async start() {
    const backend = await loadBackend();
    if (!backend) throw new Error(`startEngine: engine 'cpu' cannot run here: ${missing}`);
    await tf.setBackend('cpu');
    registerCpuKernels();
    // it would advise to install tfjs-node, which is beside the point here
    (tf.backend() as unknown as { firstUse: boolean }).firstUse = false;
    return {
      name: 'cpu',
      backend: 'cpu',
      device: 'one processor core, plain JavaScript (for reference and small tests; far too slow to train with)',
      version: `TensorFlow.js cpu backend ${backend.version_cpu}, convolutions and matrix products in float64`,
      precisions: ['float32'],
      threads: 1,
    };
  },

  async stop() {},
};
