import * as tf from '@tensorflow/tfjs-core';
import { environment } from '@tfjs-ssl/files';
import type {
  EngineAvailability,
  EngineDescription,
  EngineModule,
  EngineOptions,
  Precision,
  StepFunction,
  StepInputs,
} from '@tfjs-ssl/ops';
import { GpuBackend } from './backend.ts';
import { captureStep, type GpuCapturedStep, rehearseStep } from './capture/captured-step.ts';
import type { RecordingSize } from './capture/record-step.ts';
import { replayTimers } from './capture/replay-timers.ts';
import { describeAdapter } from './device/describe-adapter.ts';
import { type AdapterSearch, findAdapter } from './device/find-adapter.ts';
import { openDevice } from './device/open-device.ts';
import { DISPATCHES_PER_SUBMISSION } from './dispatch.ts';
import { kernels } from './kernels/index.ts';
import { registerKernels } from './kernels/kernel.ts';
import { precisionsOf } from './precisions.ts';
import { type ProfileBy, type StepProfile, StepProfiler } from './profile/step-profiler.ts';

/** The backend's name in TensorFlow.js. It is the stock name, because the stock kernels are registered for it. */
const NAME = 'webgpu';

/** Options for the start of this engine. */
export interface WebgpuEngineOptions extends EngineOptions {
  /** More options for Dawn, in Node. For example, `['backend=null']` gives a device that records but computes nothing, to measure the host. */
  readonly dawnOptions?: readonly string[];
  /**
   * Whether to run programs without index checks, in Node (Dawn's toggle `disable_robustness`). The checks keep every index within its array. They cost
   * time in the inner loops of products. Without them, a wrong program silently reads and writes other memory. Default: true if the environment variable
   * `TFJS_SSL_UNCHECKED_GPU` is 1, else false.
   */
  readonly unchecked?: boolean;
}

/** The engine's module. Its `start` takes more options than that of other engines. */
export interface WebgpuEngine extends EngineModule {
  probe(options?: WebgpuEngineOptions): Promise<EngineAvailability>;
  start(options?: WebgpuEngineOptions): Promise<EngineDescription>;
  capture(step: StepFunction, inputs: StepInputs): GpuCapturedStep;
  /**
   * Tells what a recording of a step would contain, without making one that can be replayed. Benchmarks use it; it also shows whether a step fits into memory.
   *
   * @throws Error that gives the reason, if the step cannot be recorded.
   */
  rehearse(step: StepFunction, inputs: StepInputs): RecordingSize;
  /**
   * Measures the recorded steps that a function replays, with the GPU's timestamps. Steps that are not replayed are not measured.
   *
   * @param run - the function to measure; its result is awaited.
   * @param by - how to divide a step: by dispatch or by phase.
   * @returns a profile for each replay; see `profileTable`.
   * @throws Error if the device has no timestamps.
   */
  profile(run: () => unknown, by?: ProfileBy): Promise<StepProfile[]>;
  withPrecision<T>(precision: Precision, run: () => T): T;
}

let running: Promise<EngineDescription> | null = null;
let backend: GpuBackend | null = null;
let onSoftware = false;

function runningBackend(): GpuBackend {
  if (backend) return backend;
  throw new Error("engine-webgpu: the engine is not running. Call `await startEngine('webgpu')` first.");
}

const softwareWillDo = ({ softwareAdapter }: EngineOptions): boolean =>
  softwareAdapter ?? environment('TFJS_SSL_SOFTWARE_GPU') === '1';

function search(options: WebgpuEngineOptions): Promise<AdapterSearch> {
  const { dawnOptions = [], unchecked = environment('TFJS_SSL_UNCHECKED_GPU') === '1' } = options;
  return findAdapter({ software: softwareWillDo(options) && !options.requireGpu, dawnOptions, unchecked });
}

async function startDevice(options: WebgpuEngineOptions): Promise<EngineDescription> {
  const found = await search(options);
  if ('reason' in found) throw new Error(`engine-webgpu: ${found.reason}`);
  const device = await openDevice(found);
  const started = GpuBackend.on(found.gpu, device, found.adapter.info);
  registerKernels(kernels);
  if (tf.findBackendFactory(NAME)) tf.removeBackend(NAME); // TensorFlow.js's own, which is there in a browser
  tf.registerBackend(NAME, () => started, 3);
  tf.env().set('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE', DISPATCHES_PER_SUBMISSION);
  tf.env().set('WEBGPU_CPU_FORWARD', false); // else the last digits of small tensors depend on where they lay
  backend = started;
  onSoftware = found.software;
  return {
    name: NAME,
    backend: NAME,
    device: describeAdapter(found),
    version: `engine-webgpu 0.1.0 on TensorFlow.js webgpu backend ${tf.version_core}`,
    precisions: precisionsOf(device),
    threads: 1,
    runsAhead: true,
  };
}

/** The GPU engine: WebGPU in browsers, and in Node through Dawn. */
export const webgpuEngine: WebgpuEngine = {
  name: NAME,

  async probe(options = {}) {
    if (running) {
      await running;
      return { available: true, gpu: !onSoftware };
    }
    const found = await search(options);
    return 'reason' in found ? { available: false, reason: found.reason } : { available: true, gpu: !found.software };
  },

  async start(options = {}) {
    running ??= startDevice(options);
    let description: EngineDescription;
    try {
      description = await running;
    } catch (error) {
      running = null;
      throw error;
    }
    await tf.setBackend(NAME);
    return description;
  },

  async stop() {
    const stopping = running;
    running = null;
    await stopping?.then(
      () => tf.removeBackend(NAME),
      () => {}, // it never started
    );
    backend = null;
  },

  capture(step, inputs) {
    return captureStep(runningBackend(), step, inputs);
  },

  rehearse(step, inputs) {
    return rehearseStep(runningBackend(), step, inputs);
  },

  async profile(run, by = 'dispatch') {
    const backend = runningBackend();
    if (!backend.device.features.has('timestamp-query')) {
      throw new Error(
        `engine-webgpu: the device must have timestamps (the feature timestamp-query) to measure kernels, got ${(await running)?.device}, which has none. ` +
          'Measure on another device, or measure complete steps from outside.',
      );
    }
    const profiler = new StepProfiler(backend.device, by);
    replayTimers.set(backend, profiler);
    try {
      await run();
      return await profiler.profiles();
    } finally {
      replayTimers.delete(backend);
      profiler.dispose();
    }
  },

  withPrecision(precision, run) {
    const backend = runningBackend();
    const before = backend.precision;
    backend.precision = precision;
    try {
      return run();
    } finally {
      backend.precision = before;
    }
  },
};
