import * as tf from '@tensorflow/tfjs-core';
import { afterAll, expect, it } from 'vitest';
import { simdEngine } from './index.ts';
import { measurePeak } from './measure-peak.ts';

afterAll(() => simdEngine.stop());

it('counts the multiply-adds of all threads', async () => {
  await simdEngine.start({ threads: 2 });
  const rate = measurePeak();
  expect(rate).toBeGreaterThan(1e8); // the slowest processor does more in plain JavaScript
  expect(rate).toBeLessThan(1e13);
});

it('says which engine it needs', async () => {
  await simdEngine.start({ threads: 2 });
  await tf.setBackend('cpu');
  expect(measurePeak).toThrowErrorMatchingInlineSnapshot(
    `[Error: measurePeak: engine 'simd' must be running, got the backend 'cpu'. Call startEngine('simd') first.]`,
  );
});
