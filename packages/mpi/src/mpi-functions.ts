import type { ArgumentKind, ForeignFunction, ForeignLibrary } from './foreign.ts';
import type { Handles } from './handles.ts';

type Kind = ArgumentKind | 'handle';

/** The functions of MPI that are used; they mean what the MPI standard says. */
type Name =
  | 'MPI_Get_library_version'
  | 'MPI_Get_version'
  | 'MPI_Init_thread'
  | 'MPI_Comm_rank'
  | 'MPI_Comm_size'
  | 'MPI_Allreduce'
  | 'MPI_Bcast'
  | 'MPI_Allgather'
  | 'MPI_Reduce_scatter_block'
  | 'MPI_Alltoall'
  | 'MPI_Barrier'
  | 'MPI_Ibarrier'
  | 'MPI_Test'
  | 'MPI_Abort'
  | 'MPI_Finalize';

export type MpiFunctions = Readonly<Record<Name, ForeignFunction>>;

const signatures: Readonly<Record<Name, readonly Kind[]>> = {
  MPI_Get_library_version: ['memory', 'memory'],
  MPI_Get_version: ['memory', 'memory'],
  MPI_Init_thread: ['address', 'address', 'int', 'memory'],
  MPI_Comm_rank: ['handle', 'memory'],
  MPI_Comm_size: ['handle', 'memory'],
  MPI_Allreduce: ['address', 'memory', 'int', 'handle', 'handle', 'handle'],
  MPI_Bcast: ['memory', 'int', 'handle', 'int', 'handle'],
  MPI_Allgather: ['memory', 'int', 'handle', 'memory', 'int', 'handle', 'handle'],
  MPI_Reduce_scatter_block: ['memory', 'memory', 'int', 'handle', 'handle', 'handle'],
  MPI_Alltoall: ['memory', 'int', 'handle', 'memory', 'int', 'handle', 'handle'],
  MPI_Barrier: ['handle'],
  MPI_Ibarrier: ['handle', 'memory'],
  MPI_Test: ['memory', 'memory', 'memory'],
  MPI_Abort: ['handle', 'int'],
  MPI_Finalize: [],
};

/**
 * Finds all functions in a library.
 *
 * @throws Error that names the first one that it lacks.
 */
export function mpiFunctions(library: ForeignLibrary, path: string, handles: Handles): MpiFunctions {
  const entries = Object.entries(signatures).map(([name, kinds]) => {
    const found = library.find(
      name,
      kinds.map((kind) => (kind === 'handle' ? handles.kind : kind)),
    );
    if (found) return [name, found] as const;
    throw new Error(
      `openMpi: '${path}' must be an MPI library, got one without ${name}. Name the file of an MPI library in TFJS_SSL_MPI.`,
    );
  });
  return Object.fromEntries(entries) as MpiFunctions;
}
