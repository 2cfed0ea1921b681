import { expect, it } from 'vitest';
import { productSizes } from './product-sizes.ts';

const info = (...shape: number[]) => ({ dataId: {}, shape, dtype: 'float32' as const });
const plain = { transposeA: false, transposeB: false };

it('reads the last two axes of both operands', () => {
  const sizes = { rows: 2, depth: 3, columns: 5 };
  expect(productSizes(info(7, 2, 3), info(3, 5), plain)).toEqual(sizes);
  expect(productSizes(info(3, 2), info(5, 3), { transposeA: true, transposeB: true })).toEqual(sizes);
});

it('refuses operands that do not fit', () => {
  expect(() => productSizes(info(2, 3), info(4, 5), plain)).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: matMul: b must have the inner size of a, 3 of shape [2, 3] with transposeA false, got 4 of shape [4, 5] with transposeB false. Transpose or reshape one of them.]`,
  );
  expect(() => productSizes(info(2, 3), info(3, 5), { ...plain, transposeB: true })).toThrow('got 5 of shape [3, 5]');
});
