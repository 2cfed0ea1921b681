// Where things lie in the shared memory; `src/memory-layout.ts` says the same to TypeScript.
//
//   0x00000  constants of the compiler
//   0x10000  control block: words of the thread pool, each on a cache line of its own
//   0x11000  the scratch job: descriptor of a job that is not worth keeping
//   0x20000  a counter for each thread, each on a cache line of its own
//   0x100000 scratch memory, 1 MiB for each thread
//   then     the heap: tensors and kept job descriptors

/** Tasks of the open job. */
export const TASKS: usize = 0x10000;
/** Tasks of the open job that are done. */
export const DONE: usize = 0x10080;
/** Generation of the newest job; -1 ends the workers. */
export const GENERATION: usize = 0x10100;
/** Workers that sleep. */
export const SLEEPING: usize = 0x10180;
/** Address of the open job. */
export const JOB: usize = 0x10200;
/** 1 while the calling thread sleeps until DONE changes. */
export const CALLER_SLEEPING: usize = 0x10280;
/** Set by a worker whose task failed. */
export const FAILED: usize = 0x10300;
/** Pages of the memory since it last grew; 0 before. */
export const PAGES: usize = 0x10380;
/** Threads, the calling one included. */
export const THREADS: usize = 0x10400;

/** For each thread the next of its tasks of the open job: generation << 40 | end << 20 | index. */
export const COUNTERS: usize = 0x20000;
/** Bytes between two of them. */
export const COUNTER_SIZE: usize = 0x80;

export const SCRATCH: usize = 0x100000;
export const SCRATCH_SIZE: usize = 0x100000;
