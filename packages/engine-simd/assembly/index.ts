// The module that every thread instantiates on the one shared memory.
export { finishBatchNorm, finishBatchNormGradient } from './batch-norm';
export { COLUMNS, ROWS } from './generated/micro';
export { microLoop } from './micro-loop';
export { begin, drain, endWorkers, finish, lookForEnd, lookOut, reportFailure, waitForJob } from './pool';
