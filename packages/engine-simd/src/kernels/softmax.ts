import { binary, unary } from './elementwise.ts';
import { areFloat, defineKernel, type SimdKernel, sizeOf } from './kernel.ts';
import { reduce } from './reduce.ts';

/** Softmax over the last axis, the maximum removed before exponentials. */
const softmax = defineKernel<'logits', { dim: number }>(
  'Softmax',
  ({ inputs: { logits }, attributes: { dim }, backend }) => {
    const rank = logits.shape.length;
    const axis = dim < 0 ? dim + rank : dim;
    if (!areFloat(logits) || rank === 0 || axis !== rank - 1 || sizeOf(logits) === 0) return null;
    const { runtime } = backend;
    const length = logits.shape[axis] as number;
    const rows = sizeOf(logits) / length;
    const shape = [rows, length];
    const { info, address } = backend.output(logits.shape);
    const input = backend.address(logits);
    const sizes = { outer: rows, length, inner: 1, scale: 1 };
    runtime.withTemporary(rows * 4, (perRow) => {
      const row = { address: perRow, shape: [rows, 1] };
      const own = { address, shape };
      reduce(runtime, { operation: 'maximum', input, output: perRow, ...sizes });
      binary(runtime, 'Sub', { address: input, shape }, row, address, shape);
      unary(runtime, 'Exp', address, address, rows * length);
      reduce(runtime, { operation: 'sum', input: address, output: perRow, ...sizes });
      binary(runtime, 'RealDiv', own, row, address, shape);
    });
    return info;
  },
);

/** Softmax. */
export const softmaxKernels: readonly SimdKernel[] = [softmax];
