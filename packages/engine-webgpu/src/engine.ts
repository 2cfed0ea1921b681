import * as tf from '@tensorflow/tfjs-core';
import type { EngineDescription, EngineModule, EngineOptions } from '@tfjs-ssl/ops';
import { GpuBackend } from './backend.ts';
import { describeAdapter } from './device/describe-adapter.ts';
import { findAdapter } from './device/find-adapter.ts';
import { openDevice } from './device/open-device.ts';
import { kernels } from './kernels/index.ts';
import { registerKernels } from './kernels/kernel.ts';
import { environment } from './platform.ts';
import { precisionsOf } from './precisions.ts';

/** The backend's name in TensorFlow.js: its own, as its kernels are registered for it. */
const NAME = 'webgpu';

/** Choices for the start of this engine. */
export interface WebGpuEngineOptions extends EngineOptions {
  /** Further options of Dawn, in Node: `['backend=null']` for a device that records and computes nothing, to measure the host. */
  readonly dawnOptions?: readonly string[];
}

/** The engine's module; its start takes more options than other engines have. */
export interface WebGpuEngine extends EngineModule {
  start(options?: WebGpuEngineOptions): Promise<EngineDescription>;
}

interface Running {
  readonly software: boolean;
  readonly backend: GpuBackend;
  readonly description: EngineDescription;
}

let running: Promise<Running> | null = null;

const softwareWillDo = ({ softwareAdapter }: EngineOptions): boolean =>
  softwareAdapter ?? environment('TFJS_SSL_SOFTWARE_GPU') === '1';

async function startDevice(options: WebGpuEngineOptions): Promise<Running> {
  const { dawnOptions } = options;
  const found = await findAdapter({ software: softwareWillDo(options), ...(dawnOptions ? { dawnOptions } : {}) });
  if ('reason' in found) throw new Error(`engine-webgpu: ${found.reason}`);
  const device = await openDevice(found);
  const backend = GpuBackend.on(found.gpu, device, found.adapter.info);
  registerKernels(kernels);
  if (tf.findBackendFactory(NAME)) tf.removeBackend(NAME); // TensorFlow.js's own, which is there in a browser
  tf.registerBackend(NAME, () => backend, 3);
  const description: EngineDescription = {
    name: NAME,
    backend: NAME,
    device: describeAdapter(found),
    version: `engine-webgpu 0.1.0 on TensorFlow.js webgpu backend ${tf.version_core}`,
    precisions: precisionsOf(device),
    threads: 1,
  };
  return { software: found.software, backend, description };
}

/** The GPU engine: WebGPU in browsers, and in Node through Dawn. */
export const engine: WebGpuEngine = {
  name: NAME,

  async probe(options = {}) {
    if (running) return { available: true, gpu: !(await running).software };
    const found = await findAdapter({ software: softwareWillDo(options) && !options.requireGpu });
    return 'reason' in found ? { available: false, reason: found.reason } : { available: true, gpu: !found.software };
  },

  async start(options = {}) {
    running ??= startDevice(options);
    let started: Running;
    try {
      started = await running;
    } catch (error) {
      running = null;
      throw error;
    }
    await tf.setBackend(NAME);
    return started.description;
  },

  async stop() {
    const stopping = running;
    running = null;
    if (stopping) await stopping.then(() => tf.removeBackend(NAME));
  },
};
