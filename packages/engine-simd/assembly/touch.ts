// Reading ahead. WebAssembly has no prefetch; but a loop that does nothing but load once per cache line has many loads under way at the same time,
// and goes through memory in an order that the processor foresees, where transforms and products do neither.
import { SCRATCH_SIZE } from './layout';

const LINE: usize = 64;
/** Takes what a thread has read, in its own scratch memory, so that compilers leave the loads alone. */
const SINK: usize = SCRATCH_SIZE - 64;

/** Brings `bytes` from an address on into the caches. */
export function touch(from: usize, bytes: usize, scratch: usize): void {
  const end = from + bytes;
  let sum: i32 = 0;
  for (let at = from; at < end; at += LINE) sum += load<i32>(at);
  store<i32>(scratch + SINK, sum);
}

/** Brings `bytes` of each of so many rows into the caches; rows lie `step` bytes apart. */
export function touchRows(from: usize, step: usize, rows: i32, bytes: usize, scratch: usize): void {
  let sum: i32 = 0;
  for (; rows > 0; rows--, from += step) {
    const end = from + bytes;
    for (let at = from; at < end; at += LINE) sum += load<i32>(at);
  }
  store<i32>(scratch + SINK, sum);
}
