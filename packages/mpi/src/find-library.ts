import { existsSync, readlinkSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { ancestors } from './ancestors.ts';
import type { ForeignFunctions, ForeignLibrary } from './foreign.ts';
import type { Launcher } from './launcher.ts';

/** The standard interface of MPI 5, Open MPI's own and MPICH's own. */
const names = ['libmpi_abi.so.1', 'libmpi.so.40', 'libmpi.so.12'];

const advice =
  'Install MPI (`pip install mpich`, or `apt install openmpi-bin`), or name the file of its library in TFJS_SSL_MPI.';

/**
 * Files to try, in this order: beside the launcher and any `mpiexec` of the path, as wheels and modules of clusters have them, then where the
 * system looks. The library must be of the launcher's implementation.
 */
export function candidates(launcher: Launcher, path: string, started: readonly string[] = launcherFolders()): string[] {
  const own = launcher.name === 'Open MPI' ? 'libmpi.so.40' : undefined;
  const ordered = own ? [own, ...names.filter((name) => name !== own)] : names;
  const inPath = path.split(delimiter).filter((folder) => folder !== '' && existsSync(join(folder, 'mpiexec')));
  const folders = [...new Set([...started, ...inPath])].map((folder) => join(folder, '..', 'lib'));
  const beside = folders.flatMap((folder) => ordered.map((name) => join(folder, name)));
  return [...beside.filter((file) => existsSync(file)), ...ordered];
}

/** Folders of the launcher's programs among the processes above this one, the nearest first; none where Linux's `/proc` is missing. */
function launcherFolders(): string[] {
  const folders: string[] = [];
  try {
    for (const pid of ancestors()) {
      const program = readlinkSync(`/proc/${pid}/exe`);
      if (/^(mpi|hydra|orte|prte)/.test(basename(program))) folders.push(dirname(program));
    }
  } catch {} // a process of another user: the path is left
  return folders;
}

/**
 * Loads the MPI library: the one that `TFJS_SSL_MPI` names, or the first of the {@link candidates}.
 *
 * @throws Error if there is none, with what was tried.
 */
export function findLibrary(
  foreign: ForeignFunctions,
  launcher: Launcher,
  environment: Readonly<Record<string, string | undefined>>,
): { path: string; library: ForeignLibrary } {
  const named = environment.TFJS_SSL_MPI;
  const paths = named ? [named] : candidates(launcher, environment.PATH ?? '');
  const reasons: string[] = [];
  for (const path of paths) {
    try {
      return { path, library: foreign.load(path) };
    } catch (error) {
      reasons.push(`${path}: ${(error as Error).message.trim()}`);
    }
  }
  throw new Error(
    named
      ? `openMpi: TFJS_SSL_MPI must name a library that can be loaded, got ${reasons[0]}. ${advice}`
      : `openMpi: this process is part of a job (${launcher.name}) and needs an MPI library, got none: ${reasons.join('; ')}. ${advice}`,
  );
}
