// @ts-check
// A thread of the pool: takes tasks until the engine stops. Plain JavaScript, because Node 20 cannot run TypeScript in a worker: this
// folder lies as deep as src and dist, so both reach it by the same relative path, and it is published as it is.

/** Sleeping costs the caller about 0.1 ms at the next kernel, so a worker looks out for this long first; milliseconds. */
const LOOK_OUT = 0.15;

/**
 * @typedef {object} WorkerStart
 * @property {WebAssembly.Module} module
 * @property {WebAssembly.Memory} memory
 * @property {number} thread
 */

/** Turns of the waiting loop that fill the time of looking out. */
function measureSpin(/** @type {any} */ kernels, /** @type {number} */ generation) {
  const turns = 20_000;
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    // No job can come yet: the engine waits for this worker.
    kernels.lookOut(generation, turns);
    best = Math.min(best, performance.now() - start);
  }
  return Math.max(1_000, Math.round((turns * LOOK_OUT) / Math.max(best, 1e-3)));
}

/** @param {WorkerStart} start @param {(message: unknown) => void} post */
function work({ module, memory, thread }, post) {
  const abort = () => {
    throw new Error('a kernel gave up');
  };
  const kernels = /** @type {any} */ (
    new WebAssembly.Instance(module, { env: { memory, abort, pause: () => {} } }).exports
  );
  const spin = measureSpin(kernels, 0);
  post({ ready: true });
  try {
    for (let seen = 0; ; ) {
      seen = kernels.waitForJob(seen, spin);
      if (seen === -1) return;
      kernels.drain(thread);
    }
  } catch (error) {
    post({ failed: String(error) });
    kernels.reportFailure();
  }
}

const threads = globalThis.process?.getBuiltinModule?.('node:worker_threads');
if (threads?.parentPort) {
  const { parentPort, workerData } = threads;
  work(workerData, (message) => parentPort?.postMessage(message));
} else {
  globalThis.onmessage = ({ data }) => work(data, (message) => globalThis.postMessage(message));
}
