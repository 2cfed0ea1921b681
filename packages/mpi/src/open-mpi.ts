import { constants } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import { checkNumber } from '@tfjs-ssl/checks';
import { type Backend, loneBackend, mpiBackend } from './backend.ts';
import { collectives } from './collectives.ts';
import { endTogether } from './end-together.ts';
import { findLibrary } from './find-library.ts';
import { ForeignFunctions } from './foreign.ts';
import { handlesOf } from './handles.ts';
import { spareHeap } from './heap-hooks.ts';
import { type Launcher, launcherOf } from './launcher.ts';
import { takeConnection } from './launcher-connection.ts';
import { removeLeftSegments } from './left-segments.ts';
import { describeLibrary } from './library-version.ts';
import { mpiFunctions } from './mpi-functions.ts';
import { performer } from './performer.ts';
import type { Mpi, MpiLibrary, ThreadLevel } from './types.ts';

/** What a world is made of. */
interface Seat {
  readonly rank: number;
  readonly size: number;
  readonly library: MpiLibrary | null;
  readonly backend: Backend;
  /** Ends the job with a message. */
  end(message: string, code: number): never;
  /** Leaves the job. */
  leave(): void;
}

let opened: Promise<Mpi> | undefined;

/**
 * Takes the seat of this process in its MPI job.
 *
 * In a process that `mpiexec`, `srun` or another launcher has started, this loads the MPI library and joins the other ranks. Elsewhere it
 * is a world of one rank and loads nothing, so a program runs the same alone.
 *
 * The library is the file that the environment variable `TFJS_SSL_MPI` names. Without the variable it is the first one found of
 * `libmpi_abi.so.1` (the standard interface of MPI 5), `libmpi.so.40` (Open MPI) and `libmpi.so.12` (MPICH and its relatives), beside the
 * launcher first. Under Open MPI's launcher its own library comes first.
 *
 * From then on the job ends together. If this process throws an error that nothing catches, calls `process.exit`, or ends without
 * `finalize`, all ranks end at once with a code that is not 0.
 *
 * @returns this process's place and the operations; every call returns the same one.
 * @throws Error if the process is part of a job and the package koffi or an MPI library is missing, the library is not of MPI, or it does
 * not belong to the launcher; or if this is not the main thread.
 * @example
 * ```ts
 * import { openMpi } from '@tfjs-ssl/mpi';
 *
 * const mpi = await openMpi();
 * const losses = Float64Array.of(mpi.rank + 1);
 * mpi.allReduce(losses); // the sum over all ranks
 * if (mpi.rank === 0) console.log(losses[0]); // 1 alone, 10 under `mpiexec -n 4`
 * mpi.finalize();
 * ```
 * @see The MPI standard, mpi-forum.org/docs.
 */
export function openMpi(): Promise<Mpi> {
  opened ??= open();
  return opened;
}

async function open(): Promise<Mpi> {
  const launcher = launcherOf(process.env);
  const seat = launcher ? await join(launcher) : alone;
  const { rank, size, library, backend } = seat;
  const perform = performer(library?.threadLevel ?? 'multiple');
  return {
    rank,
    size,
    library,
    ...collectives(backend, size, perform.now),
    async: collectives(backend, size, perform.later),
    abort(message, code = 1) {
      checkNumber('mpi.abort', 'code', code, { min: 1, max: 255, integer: true }, 'Leave it out for 1.');
      return seat.end(message, code);
    },
    finalize: () => perform.finish(seat.leave),
  };
}

/** A world of one. */
const alone: Seat = {
  rank: 0,
  size: 1,
  library: null,
  backend: loneBackend,
  end(message, code) {
    process.stderr.write(`${message}\n`);
    process.exit(code);
  },
  leave() {},
};

/** Joins the other ranks; a process that cannot ends with all of them. */
async function join(launcher: Launcher): Promise<Seat> {
  try {
    return await joinRanks(launcher);
  } catch (error) {
    // a signal, as launchers of MPICH take the exit code of a process that has not joined for its own affair
    endTogether({ name: '', abort: () => process.kill(process.pid, 'SIGKILL') });
    throw error;
  }
}

async function joinRanks(launcher: Launcher): Promise<Seat> {
  if (!isMainThread) {
    throw new Error(
      'openMpi: MPI must be opened on the main thread, got a worker. Open it there and pass on the values.',
    );
  }
  const foreign = await ForeignFunctions.open();
  if (!foreign) {
    throw new Error(
      `openMpi: this process is part of a job (${launcher.name}) and needs the package koffi to call MPI, got none. Run \`npm install koffi\`.`,
    );
  }
  takeConnection(foreign, process.env);
  spareHeap(process.env);
  removeLeftSegments(process.env);
  const { path, library } = findLibrary(foreign, launcher, process.env);
  const handles = handlesOf(library, path);
  const mpi = mpiFunctions(library, path, handles);
  const provided = new Int32Array(1);
  mpi.MPI_Init_thread(0, 0, handles.threadLevels.serialized, provided);
  const number = (fill: (out: Int32Array) => number): number => {
    const out = new Int32Array(1);
    fill(out);
    return out[0] as number;
  };
  const rank = number((out) => mpi.MPI_Comm_rank(handles.world, out));
  const size = number((out) => mpi.MPI_Comm_size(handles.world, out));
  const described = describeLibrary(mpi);
  if (launcher.size !== undefined && launcher.size !== size) {
    throw new Error(
      `openMpi: the launcher (${launcher.name}) has started ${launcher.size} processes, but ${described.implementation} ${described.version} (${path}) sees ${size}. ` +
        'Start them with the launcher of this library (under Slurm `srun --mpi=pmi2` or `--mpi=pmix`), or name the library of the launcher in TFJS_SSL_MPI.',
    );
  }
  const { left, end } = endTogether({
    name: `rank ${rank} of ${size}: `,
    abort: (code) => mpi.MPI_Abort(handles.world, code),
  });
  endOnUserSignal(foreign);
  const levels = Object.entries(handles.threadLevels) as [ThreadLevel, number][];
  const threadLevel = levels.find(([, value]) => value === provided[0])?.[0] ?? 'single';
  return {
    rank,
    size,
    library: { path, ...described, threadLevel },
    backend: mpiBackend(mpi, handles, size),
    end,
    leave() {
      left();
      mpi.MPI_Finalize();
    },
  };
}

/**
 * MPICH's launcher tells the other ranks by SIGUSR1 that one has died. Node would open its debugger and go on; this lets the signal end the
 * process, as it does with other programs. Node's option `--disable-sigusr1` does nearly the same, from version 22 on.
 */
function endOnUserSignal(foreign: ForeignFunctions): void {
  const byDefault = 0; // SIG_DFL
  foreign.load(null).find('signal', ['int', 'address'])?.(constants.signals.SIGUSR1, byDefault);
}
