export { openMpi } from './open-mpi.ts';
export type { Collectives, Mpi, MpiArray, MpiLibrary, Reduction, ThreadLevel } from './types.ts';
