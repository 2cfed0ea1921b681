import { expect, it } from 'vitest';
import { fromBfloat16, toBfloat16 } from './bfloat16-sum.ts';

const rounded = (...values: number[]): number[] => {
  const [halves, result] = [new Uint16Array(values.length), new Float32Array(values.length)];
  toBfloat16(Float32Array.from(values), halves);
  fromBfloat16(halves, result);
  return [...result];
};

it('rounds to 8 significant bits, ties to even', () => {
  expect(rounded(1, -2.5, 0, 1 + 2 ** -7)).toEqual([1, -2.5, 0, 1 + 2 ** -7]);
  expect(rounded(1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20)).toEqual([1, 1 + 2 ** -6, 1 + 2 ** -7]);
  expect(rounded(-(1 + 2 ** -8), -(1 + 3 * 2 ** -8))).toEqual([-1, -(1 + 2 ** -6)]);
  expect(Object.is(rounded(-0)[0], -0)).toBe(true);
});

it('keeps what is not finite, and lets what is too large overflow', () => {
  expect(rounded(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN)).toEqual([
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.NaN,
  ]);
  expect(rounded(3.4028234663852886e38, -3.4028234663852886e38)).toEqual([
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ]);
  // a NaN whose payload is all in the half that goes
  const [bits, halves] = [Uint32Array.of(0x7f800001, 0xffffffff), new Uint16Array(2)];
  toBfloat16(new Float32Array(bits.buffer), halves);
  expect([...halves].map((half) => half & 0x7f).every((fraction) => fraction !== 0)).toBe(true);
  expect([...halves].map((half) => half & 0x7f80)).toEqual([0x7f80, 0x7f80]);
});

it('reaches subnormal numbers', () => {
  expect(rounded(2 ** -133, 2 ** -149)).toEqual([2 ** -133, 0]);
});
