// Fixed places in the shared memory; `assembly/layout.ts` says the same to the kernels, with what they hold.

/** Bytes of a WebAssembly page. */
export const PAGE = 0x10000;
/** The scratch job: descriptor of a job that is not worth keeping. */
export const SCRATCH_JOB = 0x11000;
/** Words that fit there. */
export const SCRATCH_JOB_WORDS = 1024;
/** Where each thread's scratch memory begins and how much that is, bytes. */
const SCRATCH = 0x100000;
const SCRATCH_SIZE = 0x100000;
/** Word that holds the pages of the memory since it last grew. */
export const PAGES = 0x10380;
/** Word that holds the number of threads. */
export const THREADS = 0x10400;
/** Most that 32-bit addresses reach, in pages: 4 GiB. */
export const MAXIMUM_PAGES = 65536;

/** First address of the heap. */
export function heapStart(threads: number): number {
  return SCRATCH + threads * SCRATCH_SIZE;
}
