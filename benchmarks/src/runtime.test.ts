import { expect, it } from 'vitest';
import { runtimeName } from './runtime.ts';

it('names Node.js, the system, and Dawn where it computes', () => {
  const name = `Node.js ${process.versions.node}, ${process.platform} ${process.arch}`;
  expect(runtimeName('simd')).toBe(name);
  expect(runtimeName('webgpu')).toMatch(/, Dawn of webgpu \d+\.\d+\.\d+$/);
});
