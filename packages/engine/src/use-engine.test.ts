import * as tf from '@tensorflow/tfjs-core';
import type { EngineModule } from '@tfjs-ssl/ops';
import { expect, it } from 'vitest';
import { registerEngine } from './engine-registry.ts';
import { availableEngines, currentEngine, useEngine } from './use-engine.ts';

const absent = (name: string): EngineModule => ({
  name,
  probe: async () => ({ available: false, reason: 'it needs a machine that is not here. Find one.' }),
  start: () => Promise.reject(new Error('never started')),
  stop: async () => {},
});

it('asks for a choice before it can tell one', () => {
  expect(() => currentEngine()).toThrowErrorMatchingInlineSnapshot(
    `[Error: currentEngine: no engine has been chosen yet. Call \`await useEngine('auto')\` first.]`,
  );
});

it('uses the engine that is named', async () => {
  const engine = await useEngine('cpu');
  expect(engine).toMatchObject({ name: 'cpu', backend: 'cpu', precisions: ['float32'], threads: 1, passedOver: [] });
  expect(currentEngine()).toBe(engine);
  expect(tf.getBackend()).toBe('cpu');
});

it('never replaces an engine that was named', async () => {
  registerEngine(absent('absent'));
  await expect(useEngine('absent')).rejects.toThrowErrorMatchingInlineSnapshot(
    `[Error: useEngine: engine 'absent' cannot run here: it needs a machine that is not here. Find one.]`,
  );
});

it('says on auto what it passed over', async () => {
  registerEngine(absent('absent'));
  const engine = await useEngine('auto');
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

it('names the known engines where another is asked for', async () => {
  registerEngine(absent('absent'));
  await expect(useEngine('cuda')).rejects.toThrowErrorMatchingInlineSnapshot(
    `[RangeError: useEngine: name must be one of 'auto', 'absent', 'webgpu', 'tensorflow', 'simd', 'cpu', got 'cuda'. An engine of your own is made known by registerEngine.]`,
  );
});

it('refuses an engine that computes on the processor where a GPU is demanded', async () => {
  await expect(useEngine('cpu', { requireGpu: true })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[Error: useEngine: engine 'cpu' cannot run here: a GPU was demanded, and it computes on the processor. Name an engine for GPUs, or leave requireGpu out.]`,
  );
  const withGpu = (gpu: boolean): EngineModule => ({
    ...absent(gpu ? 'card' : 'processor'),
    probe: async () => ({ available: true, gpu }),
    start: async () => ({ ...currentEngine(), name: gpu ? 'card' : 'processor' }),
  });
  await useEngine('cpu');
  registerEngine(withGpu(false));
  registerEngine(withGpu(true));
  expect(await useEngine('auto', { requireGpu: true })).toMatchObject({ name: 'card' });
  expect(await useEngine('processor')).toMatchObject({ name: 'processor' });
});
