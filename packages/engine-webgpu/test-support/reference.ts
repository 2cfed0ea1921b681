import * as tf from '@tensorflow/tfjs-core';
import { startEngine } from '@tfjs-ssl/engine';
import type { Precision } from '@tfjs-ssl/ops';
import { expect } from 'vitest';
import type { GpuBackend } from '../src/backend.ts';

/** The running backend. */
export const gpu = (): GpuBackend => tf.backend() as unknown as GpuBackend;

type Function = (inputs: tf.Tensor[]) => tf.Tensor[];

/** |a - b| / |b|, Euclidean norms of all values. */
function relativeDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let [difference, norm] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    difference += ((a[i] as number) - (b[i] as number)) ** 2;
    norm += (b[i] as number) ** 2;
  }
  return Math.sqrt(difference / norm);
}

/**
 * Runs a function of random tensors on this engine and on the reference, the engine `cpu`, whose products are exact to float32, and
 * compares each result as a whole.
 */
export async function expectAsReference(
  shapes: number[][],
  f: Function,
  options: { readonly tolerance: number; readonly precision?: Precision; readonly compose?: Function },
): Promise<void> {
  const { tolerance, precision = 'float32', compose = f } = options;
  const values = await Promise.all(
    shapes.map(async (shape, i) => {
      const tensor = tf.randomUniform(shape, -1, 1, 'float32', i + 1);
      const data = (await tensor.data()).slice();
      tensor.dispose();
      return data;
    }),
  );
  const run = async (g: Function) => {
    const results = tf.tidy(() => g(values.map((data, i) => tf.tensor(data.slice(), shapes[i] as number[]))));
    const read = await Promise.all(results.map(async (t) => ({ shape: t.shape, data: await t.data() })));
    tf.dispose(results);
    return read;
  };
  await startEngine('cpu');
  const expected = await run(compose);
  await startEngine('webgpu');
  gpu().precision = precision;
  let got: Awaited<ReturnType<typeof run>>;
  try {
    got = await run(f);
  } finally {
    gpu().precision = 'float32';
  }
  expect(got.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape));
  got.forEach(({ data }, i) => {
    expect(relativeDistance(data as Float32Array, expected[i]!.data as Float32Array), `result ${i}`).toBeLessThan(
      tolerance,
    );
  });
}
