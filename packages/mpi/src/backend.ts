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
    barrier: () => ({ now: call(mpi.MPI_Barrier, [world]).now, later: () => patientBarrier(mpi, world) }),
  };
}

/** Longest pause between two looks at a barrier, in milliseconds. */
const longestPause = 20;

/** Waits for all ranks without using a processor, as MPI's own wait does. */
async function patientBarrier(mpi: MpiFunctions, world: Handles['world']): Promise<void> {
  const request = new BigInt64Array(1); // a handle: an int or a pointer
  const status = new Int32Array(16); // a structure of at most 40 bytes
  const done = new Int32Array(1);
  check(mpi.MPI_Ibarrier(world, request));
  for (let pause = 1; ; pause = Math.min(2 * pause, longestPause)) {
    check(mpi.MPI_Test(request, done, status));
    if (done[0] !== 0) return;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** MPI ends the job at an error unless it is told otherwise, so a code is never ignored here, and hardly ever seen. */
function check(code: number): void {
  if (code !== 0) throw new Error(`mpi: the MPI library gave the error code ${code}.`);
}

function call(run: ForeignFunction, values: readonly unknown[]): Call {
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
