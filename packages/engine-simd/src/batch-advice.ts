import * as tf from '@tensorflow/tfjs-core';

/** Figures of a memory that is exhausted, bytes. */
export interface Exhausted {
  /** Most that it can hold. */
  readonly limit: number;
  /** In use. */
  readonly used: number;
  /** What was asked for. */
  readonly wanted: number;
}

/** What every training step needs, whatever its batch, bytes. */
export interface Lasting {
  /** Of all variables: weights, statistics, moments; not all have been used yet. */
  readonly variables: number;
  /** Of the gradients of those that are trained. */
  readonly gradients: number;
  /** Of both, by number of rows: what is not a batch's. */
  readonly byRows: ReadonlyMap<number, number>;
}

/** Adds up the variables of the backend in use. */
export function lastingBytes(): Lasting {
  const { backend, state } = tf.engine();
  let [variables, gradients] = [0, 0];
  const byRows = new Map<number, number>();
  for (const { dataId, shape, size, trainable } of Object.values(state.registeredVariables)) {
    if (state.tensorInfo.get(dataId)?.backend !== backend) continue; // of an engine that was stopped, for example
    const rows = shape[0] ?? 1;
    variables += 4 * size;
    if (trainable) gradients += 4 * size;
    byRows.set(rows, (byRows.get(rows) ?? 0) + 4 * size * (trainable ? 2 : 1));
  }
  return { variables, gradients, byRows };
}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/**
 * Counts what tensors hold by their number of rows (first dimension), which for all that a step computes is the size of the batch, to say
 * which batch would fit.
 */
export class BatchAdvice {
  readonly #bytes = new Map<number, number>();

  /** Counts a tensor; a negative number of bytes takes it back. */
  count(rows: number, bytes: number): void {
    const sum = (this.#bytes.get(rows) ?? 0) + bytes;
    if (sum === 0) this.#bytes.delete(rows);
    else this.#bytes.set(rows, sum);
  }

  /**
   * What to do where the memory is exhausted.
   *
   * What is known is the share of the batch in the bytes in use, and so the size at which this point would have been reached; not how far it is
   * from here to the end of the step. What is proposed is therefore a first try: half of the batch, or a quarter and so on, that leaves
   * room for all variables, for all gradients, and for as much of the batch again.
   *
   * @returns the proposal; without a number where most of the memory is not a batch's.
   */
  advise({ limit, used, wanted }: Exhausted, { variables, gradients, byRows }: Lasting): string {
    const dispose = 'or dispose tensors that are no longer needed.';
    if (variables + gradients > limit) {
      return (
        `To train takes ${mebibytes(variables)} for the variables and ${mebibytes(gradients)} for their gradients, ` +
        `whatever the batch size: raise memoryLimit, train a smaller network, ${dispose}`
      );
    }
    const [rows, bytes] = [...this.#bytes]
      .map(([rows, bytes]) => [rows, bytes - (byRows.get(rows) ?? 0)] as const)
      .reduce((most, entry) => (entry[1] > most[1] ? entry : most), [0, 0]);
    const others = used - bytes;
    const fitting = (beside: number): number => Math.floor((rows * (limit - beside)) / (bytes + wanted));
    const comeThisFar = Math.min(rows - 1, fitting(Math.max(others, variables)));
    const [most, half] = [fitting(Math.max(others, variables + gradients)) / 2, rows / 2];
    if (rows < 2 || bytes < others || most < 1) return `Lower the batch size or the image size, ${dispose}`;
    const first = most >= half ? half : rows / 2 ** Math.ceil(Math.log2(rows / most));
    return (
      `Tensors of ${rows} rows, such as a batch of views has, take ${mebibytes(bytes)} of this. At most ${comeThisFar} rows would have come this far, ` +
      `and what the rest of the step takes is not known here: try ${Math.floor(first)} rows, then half as many until a step runs; or lower the image size, ${dispose}`
    );
  }
}
