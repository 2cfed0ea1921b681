import { convolutionGeometry } from '@tfjs-ssl/ops';
import { describe, expect, it } from 'vitest';
import { filterGradientProduct, forwardProduct, inputGradientProduct } from './convolution-products.ts';
import type { Arithmetic, Product, Schedule } from './product.ts';
import { productShader } from './run-product.ts';
import { chooseSchedule, tilesFor } from './schedule.ts';

const limits = { maxComputeInvocationsPerWorkgroup: 256, maxComputeWorkgroupStorageSize: 32768 };
const float32: Arithmetic = { kind: 'float32' };
const matrix: Arithmetic = { kind: 'matrix', rows: 16, columns: 16, depth: 16, subgroup: 32 };

const geometry = (input: number[], filter: number[], strides: number, pad: number) =>
  convolutionGeometry(input, filter, { strides, pad })!;
const stem = geometry([512, 64, 64, 3], [7, 7, 3, 64], 2, 3);
const first = geometry([512, 16, 16, 64], [3, 3, 64, 64], 1, 1);
const last = geometry([512, 2, 2, 512], [3, 3, 512, 512], 1, 1);

const workgroups = (product: Product, schedule: Schedule): number =>
  productShader(product, schedule).workgroups.reduce((count, length) => count * length, 1);

describe('chooseSchedule', () => {
  it('splits the gradient of a small filter over many pixels, and hardly that of a large one', () => {
    expect(chooseSchedule(filterGradientProduct(stem), float32, limits).parts).toBeGreaterThan(16);
    expect(chooseSchedule(filterGradientProduct(last), float32, limits).parts).toBeLessThan(8);
  });

  it.each([
    ['float32', float32],
    ['matrix', matrix],
  ] as const)('gives every processor work, %s', (_, arithmetic) => {
    for (const g of [stem, first, last]) {
      for (const product of [forwardProduct(g), inputGradientProduct(g), filterGradientProduct(g)]) {
        expect(workgroups(product, chooseSchedule(product, arithmetic, limits))).toBeGreaterThanOrEqual(128);
      }
    }
  });

  it('takes large tiles where there is much to do and small ones where there is not', () => {
    const tile = (product: Product) => chooseSchedule(product, float32, limits).tile;
    expect(tile(forwardProduct(first)).rows).toBe(128);
    expect(tile(forwardProduct(geometry([2, 4, 4, 8], [3, 3, 8, 8], 1, 1))).rows).toBe(32);
  });

  it('does not split a product with an epilogue', () => {
    const product = forwardProduct(last, { bias: true, relu: false });
    expect(chooseSchedule(product, float32, limits).parts).toBe(1);
  });

  it('keeps to what a workgroup may use', () => {
    expect(tilesFor(matrix, limits).length).toBeGreaterThan(2);
    const small = tilesFor(matrix, { ...limits, maxComputeInvocationsPerWorkgroup: 128 });
    expect(small.map(({ columns }) => columns)).toEqual([64, 64, 32]);
    const none = { ...limits, maxComputeWorkgroupStorageSize: 1024 };
    expect(() => chooseSchedule(forwardProduct(last), float32, none)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: chooseSchedule: limits must allow a workgroup of at least 64 invocations and 10 KiB of memory, got 256 invocations and 1024 bytes. This device cannot train: choose another engine.]`,
    );
  });

  it('stays within the workgroups of one direction', () => {
    const huge = forwardProduct(geometry([1024, 112, 112, 64], [3, 3, 64, 64], 1, 1));
    const schedule = { ...chooseSchedule(huge, float32, limits), tile: tilesFor(float32, limits).at(-1)! };
    const { workgroups } = productShader(huge, schedule);
    expect(Math.max(...workgroups)).toBeLessThanOrEqual(65535);
    expect(workgroups[0] * workgroups[1]).toBeGreaterThanOrEqual((1024 * 112 * 112 * 2) / 32);
  });
});
