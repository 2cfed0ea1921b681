import type { ForeignFunction } from './foreign.ts';
import type { Handles } from './handles.ts';
import type { MpiFunctions } from './mpi-functions.ts';
import type { MpiArray, Reduction } from './types.ts';

/** An operation that is ready to run. */
export interface Call {
  now(): void;
  /** On another thread. */
  later(): Promise<void>;
}

/** The operations of all ranks, arguments checked. */
export interface Backend {
  allReduce(data: MpiArray, reduction: Reduction): Call;
  broadcast(data: MpiArray, root: number): Call;
  allGather(part: MpiArray, whole: MpiArray): Call;
  reduceScatter(whole: MpiArray, part: MpiArray, reduction: Reduction): Call;
  allToAll(sent: MpiArray, received: MpiArray): Call;
  barrier(): Call;
}

/** The operations as calls of MPI. */
export function mpiBackend(mpi: MpiFunctions, handles: Handles, size: number): Backend {
  const { world, inPlace, reductions } = handles;
  const typeOf = (data: MpiArray) => handles.datatypes[data[Symbol.toStringTag]];
  return {
    allReduce: (data, reduction) =>
      call(mpi.MPI_Allreduce, [inPlace, data, data.length, typeOf(data), reductions[reduction], world]),
    broadcast: (data, root) => call(mpi.MPI_Bcast, [data, data.length, typeOf(data), root, world]),
    allGather(part, whole) {
      const type = typeOf(part);
      return call(mpi.MPI_Allgather, [part, part.length, type, whole, part.length, type, world]);
    },
    reduceScatter: (whole, part, reduction) =>
      call(mpi.MPI_Reduce_scatter_block, [whole, part, part.length, typeOf(part), reductions[reduction], world]),
    allToAll(sent, received) {
      const [count, type] = [sent.length / size, typeOf(sent)];
      return call(mpi.MPI_Alltoall, [sent, count, type, received, count, type, world]);
    },
    barrier: () => call(mpi.MPI_Barrier, [world]),
  };
}

function call(run: ForeignFunction, values: readonly unknown[]): Call {
  // MPI ends the job at an error unless it is told otherwise, so a code is never ignored here, and hardly ever seen
  const check = (code: number): void => {
    if (code !== 0) throw new Error(`mpi: the MPI library gave the error code ${code}.`);
  };
  return { now: () => check(run(...values)), later: async () => check(await run.async(...values)) };
}

/** The operations of a single rank: copies, or nothing. */
export const loneBackend: Backend = {
  allReduce: () => done,
  broadcast: () => done,
  allGather: (part, whole) => copy(part, whole),
  reduceScatter: (whole, part) => copy(whole, part),
  allToAll: (sent, received) => copy(sent, received),
  barrier: () => done,
};

const done: Call = { now() {}, async later() {} };

function copy(from: MpiArray, to: MpiArray): Call {
  const now = (): void => (to as Float64Array).set(from as Float64Array); // both have the same type
  return { now, later: async () => now() };
}
