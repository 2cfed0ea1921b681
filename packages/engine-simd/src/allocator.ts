import type { Exhausted } from './batch-advice.ts';
import { PAGE, PAGES } from './memory-layout.ts';

/** Readable past the end of every block: kernels load whole vectors. */
const SLACK = 64;
const SMALLEST = 128;
/** The memory grows by so many pages at least: 16 MiB. */
const GROWTH = 256;

/** Figures of an {@link Allocator}, bytes. */
export interface AllocatorStatistics {
  /** In blocks that are in use. */
  readonly used: number;
  /** Size of the heap: its highest use so far. */
  readonly heap: number;
}

/**
 * Hands out blocks of a WebAssembly memory.
 *
 * Sizes are rounded up to one of eight classes per power of two. A released block waits in the list of its class and is the next
 * to be handed out there, which keeps caches warm. Before the heap would grow, all waiting blocks are merged with their neighbours and
 * cut anew: a run of changing shapes needs no more memory than its largest moment and some.
 */
export class Allocator {
  /** Tells of an exhausted memory what to do. */
  readonly #advise: (exhausted: Exhausted) => string;
  readonly #memory: WebAssembly.Memory;
  readonly #sizes = new Map<number, number>();
  readonly #waiting = new Map<number, number[]>();
  /** Free ranges [address, bytes], sorted by address, no two of them adjacent. */
  #ranges: Array<[number, number]> = [];
  #top: number;
  readonly #start: number;
  /** Most pages that the memory may have. */
  readonly #maximum: number;
  #used = 0;

  constructor(memory: WebAssembly.Memory, start: number, maximum: number, advise: (exhausted: Exhausted) => string) {
    this.#advise = advise;
    this.#memory = memory;
    this.#maximum = maximum;
    this.#start = start;
    this.#top = start;
  }

  get statistics(): AllocatorStatistics {
    return { used: this.#used, heap: this.#top - this.#start };
  }

  /**
   * Address of a new block, a multiple of 64.
   *
   * @throws Error if 32-bit addresses or the machine's memory do not suffice.
   */
  allocate(bytes: number): number {
    const size = roundUp(bytes);
    const address = this.#waiting.get(size)?.pop() ?? this.#cut(size) ?? this.#extend(size, bytes);
    this.#sizes.set(address, size);
    this.#used += size;
    return address;
  }

  /** Takes back a block. */
  release(address: number): void {
    const size = this.#sizes.get(address);
    if (size === undefined) throw new Error(`engine-simd: there is no block at address ${address} to release.`);
    this.#sizes.delete(address);
    this.#used -= size;
    const list = this.#waiting.get(size);
    if (list) list.push(address);
    else this.#waiting.set(size, [address]);
  }

  /** A block out of the smallest range that holds it. */
  #cut(size: number): number | undefined {
    let best = -1;
    let bestBytes = Number.POSITIVE_INFINITY;
    this.#ranges.forEach(([, bytes], i) => {
      if (bytes >= size && bytes < bestBytes) [best, bestBytes] = [i, bytes];
    });
    const range = this.#ranges[best];
    if (!range) return undefined;
    const address = range[0];
    if (range[1] === size) this.#ranges.splice(best, 1);
    else this.#ranges[best] = [address + size, range[1] - size];
    return address;
  }

  /** A block behind the top of the heap, after a last look at what merging gives. */
  #extend(size: number, bytes: number): number {
    this.#merge();
    const merged = this.#cut(size);
    if (merged !== undefined) return merged;
    // What is free at the very top becomes part of the new block.
    const last = this.#ranges.at(-1);
    const address = last && last[0] + last[1] === this.#top ? last[0] : this.#top;
    this.#grow(address + size, bytes);
    if (address !== this.#top) this.#ranges.pop();
    this.#top = address + size;
    return address;
  }

  #merge(): void {
    const all = this.#ranges;
    for (const [size, list] of this.#waiting) for (const address of list) all.push([address, size]);
    this.#waiting.clear();
    all.sort(([a], [b]) => a - b);
    const merged: Array<[number, number]> = [];
    for (const [address, bytes] of all) {
      const previous = merged.at(-1);
      if (previous && previous[0] + previous[1] === address) previous[1] += bytes;
      else merged.push([address, bytes]);
    }
    this.#ranges = merged;
  }

  #grow(end: number, bytes: number): void {
    const present = this.#memory.buffer.byteLength / PAGE;
    const missing = Math.ceil(end / PAGE) - present;
    if (missing <= 0) return;
    const room = this.#maximum - present;
    const wanted = Math.min(room, Math.max(missing, GROWTH));
    try {
      if (missing > room) throw new Error('beyond the limit');
      this.#memory.grow(wanted);
      Atomics.store(new Int32Array(this.#memory.buffer, PAGES, 1), 0, present + wanted);
    } catch (cause) {
      const limit = this.#maximum * PAGE;
      throw new Error(
        `engine-simd: memory exhausted: ${mebibytes(bytes)} more do not fit beside the ${mebibytes(this.#used)} in use (at most ${mebibytes(limit)}). ` +
          this.#advise({ limit: limit - this.#start, used: this.#used, wanted: bytes }),
        { cause },
      );
    }
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function roundUp(bytes: number): number {
  const n = Math.max(SMALLEST, bytes + SLACK);
  const step = Math.max(64, 2 ** Math.floor(Math.log2(n)) / 8);
  return Math.ceil(n / step) * step;
}
