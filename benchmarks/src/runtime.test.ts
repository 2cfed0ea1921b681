import { expect, it } from 'vitest';
import { runtimeName, vectors } from './runtime.ts';

it('names Node.js, the system, and Dawn where it computes', () => {
  const name = `Node.js ${process.versions.node}, ${process.platform} ${process.arch}`;
  expect([name, `${name}, AVX2`, `${name}, AVX-512`]).toContain(runtimeName('simd'));
  expect(runtimeName('webgpu')).toMatch(/, Dawn of webgpu \d+\.\d+\.\d+$/);
});

it('names the widest vectors of a processor', () => {
  expect(vectors('fpu sse4_2 avx avx2 avx512f avx512_bf16')).toEqual(['AVX-512']);
  expect(vectors('fpu sse4_2 avx avx2')).toEqual(['AVX2']);
  expect(vectors('fpu sse4_2 avx')).toEqual([]);
  expect(vectors('')).toEqual([]);
});
