// The module for one thread: the same kernels without shared memory and without atomic operations, for where there is neither.
import { SCRATCH } from './layout';
import { runTask } from './tasks';

export { finishBatchNorm, finishBatchNormGradient } from './batch-norm';
export { COLUMNS, ROWS } from './generated/micro';
export { microLoop } from './micro-loop';

/** Runs a job of `tasks` tasks at once. */
export function begin(job: usize, tasks: i32): void {
  for (let index = 0; index < tasks; index++) runTask(job, index, SCRATCH);
}
