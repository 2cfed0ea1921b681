import type { ExchangedArray, World } from '@tfjs-ssl/ops';

/** What a thread needs to take its place; goes to it as `workerData`. */
export interface ThreadSeat {
  readonly rank: number;
  readonly size: number;
  readonly memory: SharedArrayBuffer;
}

/** Bytes that a rank can give to the others at once. */
const room = 2 ** 23;
const headBytes = 64;

/** The seats of a world of threads. */
export function threadSeats(size: number): ThreadSeat[] {
  const memory = new SharedArrayBuffer(headBytes + size * room);
  return Array.from({ length: size }, (_, rank) => ({ rank, size, memory }));
}

/** A world whose ranks are threads of one process: for tests where there is no MPI. Sums are in the order of the ranks. */
export function threadWorld({ rank, size, memory }: ThreadSeat): World {
  const [waiting, round] = [0, 1];
  const head = new Int32Array(memory, 0, 2);
  const barrier = (): void => {
    const now = Atomics.load(head, round);
    if (Atomics.add(head, waiting, 1) === size - 1) {
      Atomics.store(head, waiting, 0);
      Atomics.add(head, round, 1);
      Atomics.notify(head, round);
    } else {
      while (Atomics.load(head, round) === now) Atomics.wait(head, round, now);
    }
  };
  const bytesOf = (data: ExchangedArray): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const slot = (of: number, bytes: number): Uint8Array => new Uint8Array(memory, headBytes + of * room, bytes);
  /** Shows an array to all, and looks at those of all while they are there. */
  const exchange = (data: ExchangedArray, look: (arrays: ExchangedArray[]) => void): void => {
    if (data.byteLength > room) throw new RangeError(`threadWorld: at most ${room} bytes fit, got ${data.byteLength}`);
    slot(rank, data.byteLength).set(bytesOf(data));
    barrier();
    look(
      Array.from({ length: size }, (_, of) => {
        const copy = data.slice();
        bytesOf(copy).set(slot(of, data.byteLength));
        return copy;
      }),
    );
    barrier();
  };
  const sum = (arrays: ExchangedArray[], i: number): number =>
    arrays.reduce((total, one) => total + (one[i] as number), 0);
  return {
    rank,
    size,
    allReduce: (data) =>
      exchange(data, (arrays) => {
        for (let i = 0; i < data.length; i++) data[i] = sum(arrays, i);
      }),
    broadcast: (data, root) => exchange(data, (arrays) => data.set(arrays[root] as ExchangedArray)),
    allGather: (part, whole) =>
      exchange(part, (arrays) => {
        for (const [of, array] of arrays.entries()) whole.set(array, of * part.length);
      }),
    reduceScatter: (whole, part) =>
      exchange(whole, (arrays) => {
        for (let i = 0; i < part.length; i++) part[i] = sum(arrays, rank * part.length + i);
      }),
    allToAll: (sent, received) =>
      exchange(sent, (arrays) => {
        const length = sent.length / size;
        for (const [of, array] of arrays.entries()) {
          received.set(array.subarray(rank * length, (rank + 1) * length), of * length);
        }
      }),
  };
}
