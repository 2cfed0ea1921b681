import * as tf from '@tensorflow/tfjs-core';
import type { Precision } from '@tfjs-ssl/ops';
import type { DataId, StockBackend } from './stock-backend.ts';

/** Records the dispatches that write a result, plus an addend of its shape where one is given. */
export type Computation = (result: tf.TensorInfo, addend?: tf.TensorInfo) => void;

/** What results that come later need of the backend. */
interface LaterBackend extends StockBackend {
  precision: Precision;
  output(shape: readonly number[], options: { half: boolean }): tf.TensorInfo;
  isHalf(dataId: DataId): boolean;
  forget(dataId: DataId): void;
}

interface Later {
  readonly result: tf.TensorInfo;
  readonly inputs: readonly tf.TensorInfo[];
  readonly compute: Computation;
}

/**
 * Results that are computed when something needs them, so that a sum can become part of the computation.
 *
 * Where a tensor is used twice, TensorFlow.js adds its gradients by a kernel of its own, which reads and writes all three tensors once more.
 * A convolution that is to add to what is there has to know it beforehand: by leaving its result for later, it does. A result that
 * is needed by itself, too, is computed for that as well.
 */
export class LaterResults {
  readonly #backend: LaterBackend;
  readonly #waiting = new Map<DataId, Later>();

  constructor(backend: LaterBackend) {
    this.#backend = backend;
  }

  /** Leaves a result for later, in the precision of now; its inputs are held. */
  add(result: tf.TensorInfo, inputs: readonly tf.TensorInfo[], compute: Computation): tf.TensorInfo {
    const backend = this.#backend;
    if (backend.activeTimers) {
      compute(result); // what is measured must not go on outside of the measurement
      return result;
    }
    const { precision } = backend;
    for (const { dataId } of inputs) backend.incRef(dataId);
    this.#waiting.set(result.dataId, {
      result,
      inputs,
      compute: (...tensors) => {
        const before = backend.precision;
        backend.precision = precision;
        try {
          compute(...tensors);
        } finally {
          backend.precision = before;
        }
      },
    });
    return result;
  }

  has(dataId: DataId): boolean {
    return this.#waiting.has(dataId);
  }

  /** Computes a result, if it waits. */
  settle(dataId: DataId): void {
    const later = this.#waiting.get(dataId);
    if (!later) return;
    this.#waiting.delete(dataId);
    later.compute(later.result);
    this.#release(later);
  }

  /** a + b, where one of them waits; null else. It goes on waiting, for others who may need it alone. */
  sum(a: tf.TensorInfo, b: tf.TensorInfo): tf.TensorInfo | null {
    const later = this.#waiting.get(b.dataId) ?? this.#waiting.get(a.dataId);
    if (!later) return null;
    const addend = later.result.dataId === b.dataId ? a : b;
    const { shape } = later.result;
    const fits = [a, b].every((t) => t.dtype === 'float32' && tf.util.arraysEqual(t.shape, [...shape]));
    if (!fits || addend.dataId === later.result.dataId) return null;
    const result = this.#backend.output(shape, { half: this.#backend.isHalf(later.result.dataId) });
    later.compute(result, addend);
    return result;
  }

  /** Forgets a result that nobody has any more. */
  drop(dataId: DataId): void {
    const later = this.#waiting.get(dataId);
    if (!later) return;
    this.#waiting.delete(dataId);
    this.#release(later);
  }

  #release({ inputs }: Later): void {
    for (const { dataId } of inputs) this.#backend.forget(dataId);
  }
}
