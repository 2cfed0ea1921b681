import { expect, it } from 'vitest';
import { momentScale } from './adam.ts';

it('makes up for 1 - beta2 in float32', () => {
  for (const beta2 of [0.999, 0.99, 0.95, 0.9999]) {
    const inTensorFlow = Math.fround(1 - Math.fround(beta2));
    expect(inTensorFlow * momentScale(beta2) ** 2).toBeCloseTo(1 - beta2, 12);
  }
  expect(momentScale(0.999)).toBeGreaterThan(1 + 6e-6);
});

it('leaves gradients alone where float32 has the number exactly', () => {
  expect(momentScale(0.5)).toBe(1);
  expect(momentScale(0)).toBe(1);
});
