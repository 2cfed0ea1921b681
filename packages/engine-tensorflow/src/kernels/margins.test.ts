import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseMargins } from './margins.ts';

const margins = (
  size: number,
  window: number,
  stride: number,
  pad: 'same' | 'valid' | number,
  rounding?: 'ceil' | 'floor',
) =>
  chooseMargins(
    tf.backend_util.computeConv2DInfo([1, size, size, 1], [window, window, 1, 1], stride, 1, pad, rounding),
  );

describe('margins of a ResNet on 64 pixels', () => {
  it.each([
    ['stem, 7x7 stride 2', 64, 7, 2, 3, { padding: 'VALID', border: [0, 0, 3, 3, 3, 3, 0, 0] }],
    ['3x3', 16, 3, 1, 1, { padding: 'SAME', border: null }],
    ['3x3 stride 2', 16, 3, 2, 1, { padding: 'VALID', border: [0, 0, 1, 1, 1, 1, 0, 0] }],
    ['3x3 stride 2 on an odd size', 15, 3, 2, 1, { padding: 'SAME', border: null }],
    ['1x1 stride 2', 16, 1, 2, 0, { padding: 'VALID', border: null }],
    ['same', 16, 3, 2, 'same' as const, { padding: 'SAME', border: null }],
  ])('%s', (_, size, window, stride, pad, expected) => {
    expect(margins(size, window, stride, pad)).toEqual(expected);
  });
});

it('leaves sizes that TensorFlow does not have to others', () => {
  expect(chooseMargins(tf.backend_util.computeConv2DInfo([1, 6, 6, 1], [4, 4, 1, 1], 3, 1, 1, 'ceil'))).toBeNull();
});

it('means the same windows as the padding that it stands for', () => {
  const sizes = fc.record({
    size: fc.integer({ min: 1, max: 40 }),
    window: fc.integer({ min: 1, max: 7 }),
    stride: fc.integer({ min: 1, max: 4 }),
    pad: fc.integer({ min: 0, max: 3 }),
  });
  fc.assert(
    fc.property(sizes, ({ size, window, stride, pad }) => {
      fc.pre(size + 2 * pad >= window);
      const info = tf.backend_util.computeConv2DInfo([1, size, size, 1], [window, window, 1, 1], stride, 1, pad);
      const chosen = chooseMargins(info);
      expect(chosen).not.toBeNull();
      const { padding, border } = chosen!;
      const padded = size + (border ? border[2]! + border[3]! : 0);
      const output = padding === 'SAME' ? Math.ceil(padded / stride) : Math.ceil((padded - window + 1) / stride);
      const needed = Math.max((output - 1) * stride + window - padded, 0);
      const first = -(border?.[2] ?? 0) - (padding === 'SAME' ? Math.floor(needed / 2) : 0);
      expect({ output, first: first + 0 }).toEqual({ output: info.outHeight, first: 0 - info.padInfo.top });
    }),
  );
});
