// One rank of a job in which rank 1 fails, in the way that the first argument names, while the others wait for it.
import { openMpi } from '@tfjs-ssl/mpi';

const mpi = await openMpi();
const [, , way] = process.argv;
const failing: Record<string, () => unknown> = {
  throws() {
    throw new Error('the disk of rank 1 is full');
  },
  rejects: () => void Promise.reject(new Error('the download of rank 1 has failed')),
  exits: () => process.exit(7),
  returns: () => {},
  aborts: () => mpi.abort('rank 1 has had enough', 9),
  dies: () => process.kill(process.pid, 'SIGKILL'),
};
mpi.barrier();
if (mpi.rank === 1) {
  await new Promise((resolve) => setTimeout(resolve, 100)); // the others wait in MPI by then
  failing[way as string]?.();
} else if (mpi.rank % 2 === 0) {
  mpi.barrier();
  console.log('came through the barrier');
} else {
  await mpi.async.barrier();
  console.log('came through the barrier');
}
