import { readFileSync } from 'node:fs';

/** Bytes by which the heap may grow until the library has joined the job. */
const growth = 16 * 2 ** 20;

/**
 * Keeps UCX from cutting memory in use off the heap, where other memory lies right behind it.
 *
 * UCX, the transport under MPICH and Open MPI, watches the program's memory for its cache of registered memory. It tests this watch by
 * growing the heap by a page and shrinking it by one; it shrinks it even if it could not grow. V8 puts its compiled code near the
 * heap, in some processes right behind it. There, this turns the watch off; large messages over InfiniBand then register their memory anew.
 *
 * @param environment - variables of this process; `UCX_MEM_EVENTS` is set unless the user has.
 */
export function spareHeap(environment: NodeJS.ProcessEnv, maps: string = memoryMap()): void {
  if (roomBehindHeap(maps) < growth) environment.UCX_MEM_EVENTS ??= 'n';
}

/** Bytes between the end of the heap and what lies behind it; infinite without a heap. */
export function roomBehindHeap(maps: string): number {
  const lines = maps.split('\n');
  const heap = lines.findLastIndex((line) => line.endsWith('[heap]'));
  const bounds = (line: string | undefined) =>
    line
      ?.match(/^([\da-f]+)-([\da-f]+) /)
      ?.slice(1)
      .map((text) => Number(`0x${text}`));
  const [, end] = bounds(lines[heap]) ?? [];
  const [next] = bounds(lines[heap + 1]) ?? [];
  return end === undefined || next === undefined ? Number.POSITIVE_INFINITY : next - end;
}

/** Memory of this process as Linux lists it by address; empty elsewhere. */
function memoryMap(): string {
  try {
    return readFileSync('/proc/self/maps', 'utf8');
  } catch {
    return '';
  }
}
