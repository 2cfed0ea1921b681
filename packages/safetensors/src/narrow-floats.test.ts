import { expect, it } from 'vitest';
import { narrowBytes, narrowDtypes, widen } from './narrow-floats.ts';

const bytesOf = (dtype: string, codes: readonly number[]) =>
  narrowBytes(dtype) === 1 ? Uint8Array.from(codes) : new Uint8Array(Uint16Array.from(codes).buffer);

// Worked by hand from sign, exponent and fraction; the extremes are those that the formats are specified with.
it.each([
  {
    dtype: 'F16',
    codes: [0x3c00, 0xc000, 0x7bff, 0x0001, 0x03ff, 0x0400, 0x3555, 0x7c00, 0xfc00, 0x7e00, 0x0000, 0x8000],
    values: [1, -2, 65504, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, 0.333251953125, Infinity, -Infinity, NaN, 0, -0],
  },
  {
    dtype: 'BF16',
    codes: [0x3f80, 0xc049, 0x7f7f, 0x0001, 0x0080, 0x7f80, 0xff80, 0x7fc0, 0x8000],
    values: [1, -3.140625, 255 * 2 ** 120, 2 ** -133, 2 ** -126, Infinity, -Infinity, NaN, -0],
  },
  {
    dtype: 'F8_E5M2',
    codes: [0x3c, 0xc1, 0x7b, 0x01, 0x04, 0x7c, 0xfc, 0x7d, 0x80],
    values: [1, -2.5, 57344, 2 ** -16, 2 ** -14, Infinity, -Infinity, NaN, -0],
  },
  {
    dtype: 'F8_E4M3',
    codes: [0x38, 0xc2, 0x7e, 0x78, 0x01, 0x08, 0x7f, 0xff, 0x80],
    values: [1, -2.5, 448, 256, 2 ** -9, 2 ** -6, NaN, NaN, -0],
  },
  {
    dtype: 'F8_E5M2FNUZ',
    codes: [0x40, 0xc5, 0x7f, 0x01, 0x04, 0x80, 0xff, 0x00],
    values: [1, -2.5, 57344, 2 ** -17, 2 ** -15, NaN, -57344, 0],
  },
  {
    dtype: 'F8_E4M3FNUZ',
    codes: [0x40, 0xca, 0x7f, 0x01, 0x08, 0x80, 0xff, 0x00],
    values: [1, -2.5, 240, 2 ** -10, 2 ** -7, NaN, -240, 0],
  },
])('$dtype becomes the same numbers in float32', ({ dtype, codes, values }) => {
  expect([...widen(dtype, bytesOf(dtype, codes))]).toEqual(values);
});

it('knows the size of all that it widens', () => {
  expect(narrowDtypes.map((dtype) => [dtype, narrowBytes(dtype)])).toEqual([
    ['F16', 2],
    ['BF16', 2],
    ['F8_E5M2', 1],
    ['F8_E4M3', 1],
    ['F8_E5M2FNUZ', 1],
    ['F8_E4M3FNUZ', 1],
  ]);
  expect([narrowBytes('F32'), narrowBytes('constructor')]).toEqual([undefined, undefined]);
});
