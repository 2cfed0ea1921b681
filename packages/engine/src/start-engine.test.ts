import * as tf from '@tensorflow/tfjs-core';
import type { EngineModule } from '@tfjs-ssl/ops';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { registerEngine } from './engine-registry.ts';
import { availableEngines, currentEngine, startEngine } from './start-engine.ts';

const absent = (name: string): EngineModule => ({
  name,
  probe: async () => ({ available: false, reason: 'it needs a machine that is not here. Find one.' }),
  start: () => Promise.reject(new Error('never started')),
  stop: async () => {},
});

/** Makes an engine known until the end of the test. */
const register = (module: EngineModule): void => onTestFinished(registerEngine(module));

beforeEach(async () => {
  await startEngine('cpu');
});

it('asks for a choice before it can tell one', async () => {
  vi.resetModules();
  const fresh = await import('./start-engine.ts');
  expect(() => fresh.currentEngine()).toThrowErrorMatchingInlineSnapshot(
    `[Error: currentEngine: no engine has been started. Call \`await startEngine('auto')\` first.]`,
  );
});

it('uses the engine that is named', async () => {
  const engine = await startEngine('cpu');
  expect(engine).toMatchObject({ name: 'cpu', backend: 'cpu', precisions: ['float32'], threads: 1, passedOver: [] });
  expect(currentEngine()).toBe(engine);
  expect(tf.getBackend()).toBe('cpu');
});

it('never replaces an engine that was named', async () => {
  register(absent('absent'));
  await expect(startEngine('absent')).rejects.toThrowErrorMatchingInlineSnapshot(
    `[Error: startEngine: engine 'absent' cannot run here: it needs a machine that is not here. Find one.]`,
  );
});

it('says on auto what it passed over', async () => {
  register(absent('absent'));
  const engine = await startEngine('auto');
  expect(engine.passedOver[0]).toMatchInlineSnapshot(`
    {
      "name": "absent",
      "reason": "it needs a machine that is not here. Find one.",
    }
  `);
  expect(engine.name).not.toBe('absent');
});

it('lists the engines in the order of auto', async () => {
  const list = await availableEngines();
  expect(list.at(-1)).toEqual({ name: 'cpu', available: true });
  expect(list.map(({ name }) => name)).toContain('simd');
});

it('takes TensorFlow before simd where it has a GPU, and after it where it has none', async () => {
  const asked: boolean[] = [];
  const tensorflow = (gpu: boolean): EngineModule => ({
    ...absent('tensorflow'),
    probe: async ({ requireGpu = false } = {}) => {
      asked.push(requireGpu);
      return requireGpu && !gpu
        ? { available: false, reason: 'TensorFlow found no GPU.', onlyGpuMissing: true }
        : { available: true, gpu };
    },
    start: async () => ({ ...currentEngine(), name: 'tensorflow' }),
  });
  const order = async () => (await availableEngines()).map(({ name }) => name);
  register(absent('webgpu'));
  register({ ...absent('simd'), ...tensorflow(false), name: 'simd', probe: async () => ({ available: true }) });
  register(tensorflow(true));
  expect((await startEngine('auto')).name).toBe('tensorflow');
  expect(await order()).toEqual(['webgpu', 'tensorflow', 'simd', 'cpu']);

  register(tensorflow(false));
  asked.length = 0;
  const { passedOver } = await startEngine('auto');
  expect(passedOver.at(-1)).toMatchInlineSnapshot(`
    {
      "name": "tensorflow",
      "reason": "it finds no GPU, and the engine simd is faster on the processor. Name this engine to use it anyway.",
    }
  `);
  expect(asked).toEqual([true]); // what has no GPU is not asked, and so not loaded, for nothing
  expect(await order()).toEqual(['webgpu', 'simd', 'tensorflow', 'cpu']);
  await expect(startEngine('auto', { requireGpu: true })).rejects.toThrow(
    "'tensorflow' cannot run here: TensorFlow found",
  );

  register(absent('simd'));
  expect((await startEngine('auto')).passedOver.map(({ name }) => name)).toEqual(['webgpu', 'simd']);
});

it('names the known engines where another is asked for', async () => {
  register(absent('absent'));
  await expect(startEngine('cuda')).rejects.toThrowErrorMatchingInlineSnapshot(
    `[RangeError: startEngine: name must be one of 'auto', 'absent', 'webgpu', 'tensorflow', 'simd', 'cpu', got 'cuda'. TensorFlow computes with CUDA: 'tensorflow'.]`,
  );
});

it.each([
  ['gpu', 'webgpu'],
  ['gl', 'webgpu'],
  ['wasm', 'simd'],
  ['CUDA', 'tensorflow'],
  ['js', 'cpu'],
])('proposes for %s the engine %s', async (asked, meant) => {
  const error = await startEngine(asked).catch((thrown) => thrown);
  expect(error).toMatchObject({ fn: 'startEngine', argument: 'name', got: asked });
  expect(error.advice).toContain(`'${meant}'`);
});

it('refuses an engine that computes on the processor where a GPU is demanded', async () => {
  await expect(startEngine('cpu', { requireGpu: true })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[Error: startEngine: engine 'cpu' cannot run here: requireGpu needs a GPU, and this engine computes on the processor. Name an engine for GPUs, or leave requireGpu out.]`,
  );
  const withGpu = (gpu: boolean): EngineModule => ({
    ...absent(gpu ? 'card' : 'processor'),
    probe: async () => ({ available: true, gpu }),
    start: async () => ({ ...currentEngine(), name: gpu ? 'card' : 'processor' }),
  });
  await startEngine('cpu');
  register(withGpu(false));
  register(withGpu(true));
  expect(await startEngine('auto', { requireGpu: true })).toMatchObject({ name: 'card' });
  expect(await startEngine('processor')).toMatchObject({ name: 'processor' });
});
