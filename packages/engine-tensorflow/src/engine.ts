import { cpus } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import { processors } from '@tfjs-ssl/files';
import type { EngineAvailability, EngineDescription, EngineModule, EngineOptions } from '@tfjs-ssl/ops';
import { findAddon } from './find-addon.ts';
import { mayHaveGpu } from './gpu-driver.ts';
import { kernels } from './kernels/index.ts';
import { type LoadedAddon, loadAddon } from './load-addon.ts';
import type { NodeBackend } from './node-backend.ts';
import { installationProblem, noDriverProblem, noGpuProblem } from './problems.ts';
import { TensorStore } from './tensor-store.ts';

const NAME = 'tensorflow';

let store: TensorStore | null = null;
let makeBackend: (() => NodeBackend) | null = null;

type Unavailable = Extract<EngineAvailability, { available: false }>;
type Ready = Exclude<LoadedAddon, { problem: string }>;

/** Registers tfjs-node's backend and kernels, and this engine's in their place; once in a process. */
function register({ addon, require }: Ready): () => NodeBackend {
  const before = tf.getBackend();
  require(addon.folder); // registers its kernels and makes its backend the current one
  const backend = tf.findBackend(NAME) as NodeBackend | null;
  if (!backend) {
    throw new Error(
      `engine-tensorflow: ${addon.packageName} in ${addon.folder} uses another copy of TensorFlow.js than this program. Keep one version of @tensorflow/tfjs-core: \`npm ls @tensorflow/tfjs-core\`.`,
    );
  }
  if (before) void tf.setBackend(before);
  for (const { kernelName, bind } of kernels) {
    const stock = tf.getKernel(kernelName, NAME);
    if (stock) tf.unregisterKernel(kernelName, NAME);
    tf.registerKernel({ ...stock, kernelName, backendName: NAME, kernelFunc: bind(current, stock?.kernelFunc) });
  }
  const Backend = backend.constructor as new (binding: unknown, packageName: string) => NodeBackend;
  let first: NodeBackend | null = backend;
  return () => {
    const next = first ?? new Backend(backend.binding, addon.packageName);
    first = null;
    return next;
  };
}

function current(): TensorStore {
  if (!store)
    throw new Error('engine-tensorflow: the engine is not running. Call `await tensorflowEngine.start()` first.');
  return store;
}

function describe({ addon, binding }: Ready): EngineDescription {
  const gpu = binding.isUsingGpuDevice();
  const threads = processors();
  return {
    name: NAME,
    backend: NAME,
    device: gpu ? 'GPU through CUDA' : `${cpus()[0]?.model.trim() ?? 'processor'}, ${threads} threads`,
    version: `TensorFlow ${binding.TF_Version} through ${addon.packageName} ${addon.version}`,
    precisions: ['float32'],
    threads: gpu ? 1 : threads,
  };
}

/** The reason against a start with these options; null if there is none. */
function problemHere({ requireGpu = false }: EngineOptions): Pick<Unavailable, 'reason' | 'onlyGpuMissing'> | null {
  if (requireGpu && !mayHaveGpu()) {
    const problem = installationProblem(findAddon());
    return problem === null ? { reason: noDriverProblem(), onlyGpuMissing: true } : { reason: problem };
  }
  const found = loadAddon();
  if ('problem' in found) return { reason: found.problem };
  if (requireGpu && !found.binding.isUsingGpuDevice()) {
    return { reason: noGpuProblem(found.binding.TF_Version, found.addon), onlyGpuMissing: true };
  }
  return null;
}

const ready = (): Ready => loadAddon() as Ready;

/** The TensorFlow engine: libtensorflow, on CUDA GPUs or processors, through tfjs-node's native addon. */
export const tensorflowEngine: EngineModule = {
  name: NAME,

  async probe(options = {}) {
    const problem = problemHere(options);
    if (problem !== null) return { available: false, ...problem };
    return { available: true, gpu: ready().binding.isUsingGpuDevice() };
  },

  async start(options = {}) {
    const problem = problemHere(options);
    if (problem !== null) throw new Error(`engine-tensorflow: ${problem.reason}`);
    const found = ready();
    if (!store) {
      makeBackend ??= register(found);
      const backend = makeBackend();
      if (tf.findBackend(NAME) !== backend) tf.registerBackend(NAME, () => backend, 3);
      store = new TensorStore(backend);
    }
    await tf.setBackend(NAME);
    return describe(found);
  },

  async stop() {
    if (!store) return;
    const stopping = store;
    store = null;
    tf.removeBackend(NAME);
    stopping.dispose();
  },
};
