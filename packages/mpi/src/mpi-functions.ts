import type { ArgumentKind, ForeignFunction, ForeignLibrary } from './foreign.ts';
import type { Handles } from './handles.ts';

type Kind = ArgumentKind | 'handle';

/** The functions of MPI that are used, by their arguments; they mean what the MPI standard says. */
const signatures = {
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
  MPI_Abort: ['handle', 'int'],
  MPI_Finalize: [],
} as const satisfies Record<string, readonly Kind[]>;

export type MpiFunctions = Readonly<Record<keyof typeof signatures, ForeignFunction>>;

/**
 * Finds all functions in a library.
 *
 * @throws Error that names the first one that it lacks.
 */
export function mpiFunctions(library: ForeignLibrary, path: string, handles: Handles): MpiFunctions {
  const entries = Object.entries<readonly Kind[]>(signatures).map(([name, kinds]) => {
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
