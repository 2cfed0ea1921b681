// The module for one thread: the same kernels without shared memory and without atomic operations, for where there is neither.
import { SCRATCH } from './layout';
import { runTask } from './tasks';

export { finishBatchNorm, finishBatchNormGradient } from './batch-norm';
export { COLUMNS, ROWS } from './generated/micro';
export { microLoop } from './micro-loop';

/** Runs a job of `tasks` tasks; the rest is for threads. */
export function run(job: usize, tasks: i32, spin: i32, patience: i32): i32 {
  for (let index = 0; index < tasks; index++) runTask(job, index, SCRATCH);
  return 0;
}
