import { fstatSync, readFileSync, readlinkSync } from 'node:fs';
import { ancestors } from './ancestors.ts';
import type { ForeignFunctions } from './foreign.ts';

/** Numbers of Linux's system calls `pidfd_open` and `pidfd_getfd`, the same on all processors. */
const [pidfdOpen, pidfdGetfd] = [434, 438];

/**
 * Takes the connection to the launcher from a process in between that holds it.
 *
 * Launchers that speak PMI (MPICH, Slurm) leave each rank an open socket and its number in `PMI_FD`. Node does not pass on what it inherits: in a
 * program that npm has started, the number is another file's, to which the MPI library would talk for ever. npm itself still holds the socket.
 *
 * @param environment - variables of this process; `PMI_FD` gets the number that the socket has here.
 * @throws Error if nobody holds it, or the system does not hand it over.
 */
export function takeConnection(foreign: ForeignFunctions, environment: NodeJS.ProcessEnv): void {
  const { PMI_FD: number } = environment;
  if (number === undefined || isSocket(Number(number))) return;
  const holder = ancestors().find((pid) => holds(pid, number));
  const taken = holder === undefined ? -1 : copyOf(foreign, holder, Number(number));
  if (taken < 0) {
    throw new Error(
      `openMpi: PMI_FD must be this process's connection to the launcher, got ${number}, which a process in between (npm, for example) has closed. ` +
        'Let the launcher start Node itself (`mpiexec -n 2 node FILE`) or, with MPICH, connect by TCP (`mpiexec -pmi-port -n 2 npm run NAME`).',
    );
  }
  environment.PMI_FD = `${taken}`;
}

function isSocket(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isSocket();
  } catch {
    return false;
  }
}

/** Whether a process is of the same rank, as its variables say, and has the socket. */
function holds(pid: number, number: string): boolean {
  try {
    const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return variables.includes(`PMI_FD=${number}`) && readlinkSync(`/proc/${pid}/fd/${number}`).startsWith('socket:');
  } catch {
    return false;
  }
}

/** A copy of another process's open file; negative if the system refuses. */
function copyOf(foreign: ForeignFunctions, pid: number, descriptor: number): number {
  const call = foreign.load(null).find('syscall', ['address', 'address', 'address', 'address']);
  const process = call?.(pidfdOpen, pid, 0, 0) ?? -1;
  return process < 0 ? -1 : (call?.(pidfdGetfd, process, descriptor, 0) ?? -1);
}
