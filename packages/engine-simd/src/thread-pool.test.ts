import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, it, vi } from 'vitest';
import { Runtime } from './runtime.ts';
import { UNARY } from './task-ids.ts';
import { agree } from './variant-agreement.ts';
import { chooseVariant, loadVariant } from './variants.ts';

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
  expect(() => runtime?.runOnce(1, 12345)).toThrow();
  expect(() => runtime?.runOnce(1, UNARY, 0, 0, 0, 0, 1)).toThrowErrorMatchingInlineSnapshot(
    `[Error: engine-simd: a kernel failed (RuntimeError: unreachable); results can no longer be trusted. Start the process again; with fewer threads if memory was short.]`,
  );
});

it('notices a task that fails in a worker', async () => {
  runtime = await Runtime.start(variant, 2);
  // Tasks of an unknown kind: whichever thread takes one traps.
  expect(() => runtime?.runOnce(1000, 12345)).toThrow();
});

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
