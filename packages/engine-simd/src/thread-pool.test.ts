import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, it, onTestFinished, vi } from 'vitest';
import { createMemory, type KernelExports } from './kernel-module.ts';
import { heapStart, PAGE, SCRATCH_JOB } from './memory-layout.ts';
import { floatBits, Runtime } from './runtime.ts';
import { UNARY } from './task-ids.ts';
import { ThreadPool } from './thread-pool.ts';
import { agree } from './variant-agreement.ts';
import { chooseVariant, loadVariant } from './variants.ts';

/** Words of the control block, as `assembly/layout.ts` has them. */
const [TASKS, GENERATION, JOB, FAILED] = [0x10000, 0x10100, 0x10200, 0x10300];
/** Counters of the caller and of the first worker. */
const [CALLER_COUNTER, WORKER_COUNTER] = [0x20000, 0x20080];

const variant = await chooseVariant({ revectorize: false, shared: true, agree });
let runtime: Runtime | undefined;
afterEach(async () => {
  vi.restoreAllMocks();
  await runtime?.pool.stop();
});

it('says that a worker thread has died', async () => {
  const spy = vi.spyOn(Worker.prototype, 'unref');
  runtime = await Runtime.start(variant, 2);
  const [worker] = spy.mock.contexts as Worker[];
  await worker?.terminate();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(() => runtime?.runOnce(1, UNARY, 0, 0, 0, 0, 1)).toThrowErrorMatchingInlineSnapshot(
    `[Error: engine-simd: a worker thread has died (exit code 1); results can no longer be trusted. Start the process again; with fewer threads if memory was short.]`,
  );
});

it('says that a kernel has failed, and stays broken', async () => {
  runtime = await Runtime.start(variant, 1);
  runtime.runOnce(1, 12345);
  expect(() => runtime?.words).toThrow();
  expect(() => runtime?.runOnce(1, UNARY, 0, 0, 0, 0, 1)).toThrowErrorMatchingInlineSnapshot(
    `[Error: engine-simd: a kernel failed (RuntimeError: unreachable); results can no longer be trusted. Start the process again; with fewer threads if memory was short.]`,
  );
});

it('does what was begun before it stops', async () => {
  runtime = await Runtime.start(variant, 2);
  const address = runtime.keep(Array(1024).fill(floatBits(2)));
  runtime.runOnce(64, UNARY, 2, address, address, 1024, 16); // squares
  await runtime.pool.stop();
  expect(new Set(runtime.floats(address, 1024))).toEqual(new Set([4]));
  expect(() => runtime?.runOnce(1, UNARY, 2, address, address, 16, 16)).toThrow('the engine has been stopped');
});

it('notices a task that fails in a worker', async () => {
  const memory = createMemory(heapStart(2) / PAGE, true);
  const pool = await ThreadPool.start(variant.module, memory, 2);
  onTestFinished(() => pool.stop());
  const { kernels } = pool;
  const [words, counters] = [new Int32Array(memory.buffer), new BigInt64Array(memory.buffer)];
  /** Opens a job as the caller does, and leaves its tasks to the worker. */
  const begin: KernelExports['begin'] = (job, tasks) => {
    words[JOB / 4] = job;
    Atomics.store(words, TASKS / 4, tasks);
    Atomics.store(counters, WORKER_COUNTER / 8, (1n << 40n) | (BigInt(tasks) << 20n));
    Atomics.store(words, GENERATION / 4, 1);
    Atomics.notify(words, GENERATION / 4);
    while (Atomics.load(words, FAILED / 4) === 0);
  };
  Object.defineProperty(pool, 'kernels', { value: { ...kernels, begin } });
  words[SCRATCH_JOB / 4] = 12345; // of an unknown kind: the thread that takes it traps
  const failed = `[Error: engine-simd: a worker thread failed in a kernel; results can no longer be trusted. Start the process again; with fewer threads if memory was short.]`;
  pool.begin(SCRATCH_JOB, 1);
  expect(() => pool.finish()).toThrowErrorMatchingInlineSnapshot(failed);
  expect(() => pool.begin(SCRATCH_JOB, 1)).toThrow('a worker thread failed in a kernel');
});

it.each([
  ['sleeps', true],
  ['must not sleep', false],
])(
  'does not wait for ever for a worker that has died with a task in its hands, where the caller %s',
  async (_, sleeps) => {
    const memory = createMemory(heapStart(2) / PAGE, true);
    const pool = await ThreadPool.start(variant.module, memory, 1, 1, sleeps);
    // A thread that takes one task of a job, as a worker does, and ends.
    const source = `
    const { workerData: memory, parentPort } = require('node:worker_threads');
    const [words, counters] = [new Int32Array(memory.buffer), new BigInt64Array(memory.buffer)];
    parentPort.postMessage('ready');
    for (let seen = 0, ticket = 0n; (ticket & 0xfffffn) >= ((ticket >> 20n) & 0xfffffn); ) {
      while (Atomics.load(words, ${GENERATION} / 4) === seen);
      seen = Atomics.load(words, ${GENERATION} / 4);
      ticket = Atomics.add(counters, ${CALLER_COUNTER} / 8, 1n);
    }
  `;
    const thief = new Worker(source, { eval: true, workerData: memory });
    await new Promise((resolve) => thief.once('message', resolve));
    const nothing = [UNARY, 0, heapStart(1), heapStart(1), 1, 0]; // blocks of no elements
    new Int32Array(memory.buffer).set(nothing, SCRATCH_JOB / 4);
    expect(() => {
      for (let job = 0; job < 1000; job++) pool.begin(SCRATCH_JOB, 1_000_000);
    }).toThrowErrorMatchingInlineSnapshot(
      `[Error: engine-simd: a worker thread has hung; results can no longer be trusted. Start the process again; with fewer threads if memory was short.]`,
    );
    expect(() => pool.begin(SCRATCH_JOB, 1)).toThrow('a worker thread has hung');
  },
);

it('finds that variants which round alike agree, and others do not', async () => {
  const [relaxed, wide, plain] = await Promise.all(
    ['relaxed-4x8', 'relaxed-6x16', 'plain-4x8'].map((name) => loadVariant(name)),
  );
  expect(await agree(relaxed!, wide!)).toBe(true);
  expect(await agree(relaxed!, plain!)).toBe(false);
});

it('lets the process end by itself', () => {
  // Without the engine's TypeScript, which Node 20 cannot run: the worker file alone, as the pool starts it.
  const worker = fileURLToPath(new URL('../workers/kernel-worker.js', import.meta.url));
  const wasm = fileURLToPath(new URL('../wasm/plain-4x8.wasm', import.meta.url));
  const source = `
    import { readFileSync } from 'node:fs';
    import { Worker } from 'node:worker_threads';
    const memory = new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true });
    const module = new WebAssembly.Module(readFileSync(${JSON.stringify(wasm)}));
    const worker = new Worker(${JSON.stringify(worker)}, { execArgv: [], workerData: { module, memory, thread: 1 } });
    worker.once('message', () => { worker.unref(); console.log('ready'); });
  `;
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', source], { timeout: 20_000 });
  expect({ status, stdout: String(stdout) }).toEqual({ status: 0, stdout: 'ready\n' });
});
