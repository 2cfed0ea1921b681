/** Figures of a memory that is exhausted, bytes. */
export interface Exhausted {
  /** Most that it can hold. */
  readonly limit: number;
  /** In use. */
  readonly used: number;
  /** What was asked for. */
  readonly wanted: number;
}

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
   * What is known is the share of the batch in the bytes in use, and so the size at which this point would have been reached. The gradients may
   * need as much again: half of the batch, or a quarter and so on, is proposed that leaves room for twice as much.
   *
   * @returns the proposal; without a number where most of the memory is not a batch's.
   */
  advise({ limit, used, wanted }: Exhausted): string {
    const dispose = 'or dispose tensors that are no longer needed.';
    const [rows, bytes] = [...this.#bytes].reduce((most, entry) => (entry[1] > most[1] ? entry : most), [0, 0]);
    const fitting = Math.floor((rows * (limit - used + bytes)) / (bytes + wanted));
    if (rows < 2 || bytes < used / 2 || fitting < 1) return `Lower the batch size or the image size, ${dispose}`;
    const proposed = Math.floor(rows / 2 ** Math.max(1, Math.ceil(Math.log2((2 * rows) / fitting))));
    return (
      `Tensors of ${rows} rows, such as a batch of views has, take ${(bytes / 2 ** 20).toFixed(1)} MiB of this. ${Math.min(fitting, rows - 1)} rows ` +
      `would have come this far, and the rest of the step may need as much again: lower the batch size to ${proposed} rows, or the image size, ${dispose}`
    );
  }
}
