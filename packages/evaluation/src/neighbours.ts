import * as tf from '@tensorflow/tfjs-core';
import { TopK } from './top-k.ts';
import { unitRowsOf } from './unit-rows-of.ts';

/** The nearest rows of a bank, the most similar first; of equals the earlier row. */
export interface Neighbours {
  /** Cosines. */
  readonly values: Float32Array;
  /** Rows of the bank. */
  readonly places: Int32Array;
}

/** Similarities held at a time: 1024 x 4096 x 4 bytes = 16 MB. */
const QUERIES_AT_ONCE = 1024;
const BANK_AT_ONCE = 4096;

/** Calls `use` with the k nearest neighbours of each query, by matrix products block by block. */
export async function forNeighbours(
  {
    bank,
    queries,
    onProgress,
  }: {
    readonly bank: tf.Tensor2D;
    readonly queries: tf.Tensor2D;
    readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
  },
  k: number,
  use: (neighbours: Neighbours, query: number) => void,
): Promise<void> {
  const total = queries.shape[0];
  for (let start = 0; start < total; start += QUERIES_AT_ONCE) {
    const count = Math.min(QUERIES_AT_ONCE, total - start);
    const best = await nearest(bank, queries, start, count, k);
    best.forEach((top, i) => void use(top.sorted(), start + i));
    onProgress?.({ done: start + count, total });
  }
}

async function nearest(bank: tf.Tensor2D, queries: tf.Tensor2D, start: number, count: number, k: number) {
  const best = Array.from({ length: count }, () => new TopK(k));
  const units = tf.tidy(() => unitRowsOf(queries, start, count));
  for (let first = 0; first < bank.shape[0]; first += BANK_AT_ONCE) {
    const rows = Math.min(BANK_AT_ONCE, bank.shape[0] - first);
    const cosines = tf.tidy(() => tf.matMul(units, unitRowsOf(bank, first, rows), false, true));
    const values = await cosines.data<'float32'>();
    best.forEach((top, query) => {
      top.offer(values, query * rows, rows, first);
    });
    cosines.dispose();
  }
  units.dispose();
  return best;
}
