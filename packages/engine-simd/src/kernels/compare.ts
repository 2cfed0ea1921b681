import * as tf from '@tensorflow/tfjs-core';
import { broadcastAxes } from './elementwise.ts';
import { defineKernel, type SimdKernel } from './kernel.ts';

type Numbers = Float32Array | Int32Array | Uint8Array;

const isNumeric = (values: unknown): values is Numbers =>
  values instanceof Float32Array || values instanceof Int32Array || values instanceof Uint8Array;

/**
 * A comparison with broadcasting, true where x - y has one of the wanted signs. Plain JavaScript, as results are bytes and operands no
 * larger than logits; the stock kernels, which work out the position of each element anew, take fifty times as long where shapes differ.
 */
const comparison = (
  kernelName: string,
  less: boolean,
  equal: boolean,
  greater: boolean,
  unordered = false,
): SimdKernel =>
  defineKernel<'a' | 'b'>(kernelName, ({ inputs: { a, b }, backend }) => {
    const [x, y] = [backend.values(a), backend.values(b)];
    if (!isNumeric(x) || !isNumeric(y)) return null;
    const shape = tf.backend_util.assertAndGetBroadcastShape(a.shape, b.shape);
    const result = new Uint8Array(tf.util.sizeFromShape(shape));
    const [inner = { length: 1, a: 0, b: 0 }, ...outer] = broadcastAxes(a.shape, b.shape, shape);
    for (let row = 0, at = 0; at < result.length; row++) {
      let [rest, i, j] = [row, 0, 0];
      for (const axis of outer) {
        const position = rest % axis.length;
        rest = (rest - position) / axis.length;
        i += position * axis.a;
        j += position * axis.b;
      }
      for (const end = at + inner.length; at < end; at++, i += inner.a, j += inner.b) {
        const [p, q] = [x[i] as number, y[j] as number];
        result[at] = Number(p < q ? less : p > q ? greater : p === q ? equal : unordered); // not ordered: NaN
      }
    }
    return backend.makeTensorInfo(shape, 'bool', result);
  });

/** Comparisons of numbers. */
export const compareKernels: readonly SimdKernel[] = [
  comparison('Less', true, false, false),
  comparison('LessEqual', true, true, false),
  comparison('Greater', false, false, true),
  comparison('GreaterEqual', false, true, true),
  comparison('Equal', false, true, false),
  comparison('NotEqual', true, false, true, true),
];
