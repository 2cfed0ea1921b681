import { describe, expect, it } from 'vitest';
import { loneBackend } from './backend.ts';
import { collectives } from './collectives.ts';
import type { MpiArray } from './types.ts';

/** The operations of the first of four ranks, which only check. */
const four = collectives(loneBackend, 4, (_, call) => void call());
const floats = (length: number) => new Float32Array(length);

describe('The operations', () => {
  it('copy in a world of one', () => {
    const one = collectives(loneBackend, 1, (_, call) => call().now());
    const data = Int16Array.of(1, 2);
    for (const operation of ['allGather', 'reduceScatter', 'allToAll'] as const) {
      const result = new Int16Array(2);
      one[operation](data, result);
      expect([...result]).toEqual([1, 2]);
    }
    one.allReduce(data, 'product');
    one.broadcast(data);
    one.barrier();
    expect([...data]).toEqual([1, 2]);
  });

  it('take neighbouring parts of one memory', () => {
    const memory = floats(20);
    four.allGather(memory.subarray(0, 4), memory.subarray(4));
    four.allToAll(memory.subarray(0, 8), memory.subarray(8, 16));
  });

  it('refuse arrays that MPI has no datatype for', () => {
    expect(() => four.allReduce([1, 2] as unknown as MpiArray)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: mpi.allReduce: data must be a typed array of 8 to 64 bits, got [1, 2]. Copy the values into one, for example \`new Float32Array(values)\`.]`,
    );
    expect(() =>
      four.broadcast(new DataView(new ArrayBuffer(8)) as unknown as MpiArray),
    ).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: mpi.broadcast: data must be a typed array of 8 to 64 bits, got a DataView. Copy the values into one, for example \`new Float32Array(values)\`.]`,
    );
  });

  it('refuse arrays that do not fit together', () => {
    expect(() => four.allGather(floats(3), floats(3))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: mpi.allGather: whole must be a Float32Array of 12 elements, got a Float32Array of 3. All ranks need arrays of one type and length.]`,
    );
    expect(() =>
      four.reduceScatter(floats(8), new Float64Array(2) as unknown as Float32Array),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: mpi.reduceScatter: whole must be a Float64Array of 8 elements, got a Float32Array of 8. All ranks need arrays of one type and length.]`,
    );
    expect(() => four.allToAll(floats(6), floats(6))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: mpi.allToAll: sent must hold 4 parts of equal length, one for each rank, got 6 elements. Pad it.]`,
    );
    expect(() => four.allToAll(floats(8), floats(4))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: mpi.allToAll: received must be a Float32Array of 8 elements, got a Float32Array of 4. All ranks need arrays of one type and length.]`,
    );
  });

  it('refuse a result in the memory of what is sent', () => {
    const memory = floats(16);
    expect(() => four.allGather(memory.subarray(0, 4), memory)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: mpi.allGather: whole must have memory of its own, got memory that both arrays share. Pass a new array for the result.]`,
    );
  });

  it('refuse other reductions and ranks that are not there', () => {
    expect(() => four.allReduce(floats(1), 'mean' as 'sum')).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: mpi.allReduce: reduction must be 'sum', 'product', 'min' or 'max', got 'mean'. Choose one of these.]`,
    );
    expect(() => four.reduceScatter(floats(4), floats(1), 'avg' as 'sum')).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: mpi.reduceScatter: reduction must be 'sum', 'product', 'min' or 'max', got 'avg'. Choose one of these.]`,
    );
    expect(() => four.broadcast(floats(1), 4)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: mpi.broadcast: root must be an integer in [0, 3], got 4. The job has 4 ranks, and the first is 0.]`,
    );
  });
});
