import { Allocator } from './allocator.ts';
import { BatchAdvice, lastingBytes } from './batch-advice.ts';
import { createMemory, type KernelExports } from './kernel-module.ts';
import { heapStart, MAXIMUM_PAGES, PAGE, SCRATCH_JOB, SCRATCH_JOB_WORDS } from './memory-layout.ts';
import { PlanCache } from './plan-cache.ts';
import { ThreadPool } from './thread-pool.ts';
import type { Variant } from './variant.ts';

/** Descriptors kept at once. A ResNet step has some 150; each holds a few KiB. */
const PLANS = 1024;

/** Descriptors of jobs that are prepared once for a shape; `blocks` are the addresses that it owns. */
export interface Plan {
  readonly blocks: readonly number[];
}

const floatView = new Float32Array(1);
const bitView = new Int32Array(floatView.buffer);

/** The word of a job descriptor that holds a float32. */
export function floatBits(value: number): number {
  floatView[0] = value;
  return bitView[0] as number;
}

/** Memory, threads and kernels: what the TensorFlow.js kernels of this engine are written on. */
export class Runtime {
  readonly variant: Variant;
  readonly memory: WebAssembly.Memory;
  readonly allocator: Allocator;
  readonly pool: ThreadPool;
  /** Knows how much of the memory grows with the batch. */
  readonly batchAdvice: BatchAdvice = new BatchAdvice();
  readonly plans: PlanCache<Plan>;
  #words: Int32Array;
  readonly #buffers = new WeakSet<ArrayBufferLike>();

  private constructor(variant: Variant, memory: WebAssembly.Memory, pool: ThreadPool, maximum: number) {
    this.variant = variant;
    this.memory = memory;
    this.pool = pool;
    this.allocator = new Allocator(memory, heapStart(pool.threads), maximum, (exhausted) =>
      this.batchAdvice.advise(exhausted, lastingBytes()),
    );
    this.plans = new PlanCache<Plan>(PLANS, (plan) => {
      for (const block of plan.blocks) this.allocator.release(block);
    });
    this.#words = new Int32Array(memory.buffer);
    this.#buffers.add(memory.buffer);
  }

  /**
   * Starts the kernels on a new memory.
   *
   * @param threads - more than one only where the variant works on a shared memory.
   * @param maximum - most pages that the memory may have.
   */
  static async start(variant: Variant, threads: number, maximum: number = MAXIMUM_PAGES): Promise<Runtime> {
    const memory = createMemory(heapStart(threads) / PAGE, variant.shared, maximum);
    return new Runtime(variant, memory, await ThreadPool.start(variant.module, memory, threads), maximum);
  }

  get threads(): number {
    return this.pool.threads;
  }

  /** The kernels, once the last job is done. */
  get kernels(): KernelExports {
    this.pool.finish();
    return this.pool.kernels;
  }

  /** The whole memory as words, once the last job is done; valid until the next job or allocation. */
  get words(): Int32Array {
    this.pool.finish();
    if (this.#words.byteLength !== this.memory.buffer.byteLength) {
      this.#words = new Int32Array(this.memory.buffer);
      this.#buffers.add(this.memory.buffer);
    }
    return this.#words;
  }

  /** Whether a buffer is this memory, as it is or as it was before it grew. */
  owns(buffer: ArrayBufferLike): boolean {
    return this.#buffers.has(buffer);
  }

  /** Elements of a tensor, once the last job is done; valid until the next job or allocation. */
  floats(address: number, size: number): Float32Array {
    return new Float32Array(this.words.buffer, address, size);
  }

  /** Writes words into a block of its own and returns its address. */
  keep(words: readonly number[]): number {
    const address = this.allocator.allocate(words.length * 4);
    this.words.set(words, address / 4);
    return address;
  }

  /** Begins a job whose descriptor is kept. Whoever looks at the memory next waits for its end. */
  run(job: number, tasks: number): void {
    this.pool.begin(job, tasks);
  }

  /** Begins a job whose descriptor is written now; see {@link run}. */
  runOnce(tasks: number, ...job: number[]): void {
    if (job.length > SCRATCH_JOB_WORDS)
      throw new Error(`engine-simd: a job must have at most ${SCRATCH_JOB_WORDS} words, got ${job.length}.`);
    const { words } = this;
    for (let i = 0; i < job.length; i++) words[SCRATCH_JOB / 4 + i] = job[i] as number;
    this.pool.begin(SCRATCH_JOB, tasks);
  }

  /** Calls `use` with the address of so many bytes, which are released afterwards. */
  withTemporary<Result>(bytes: number, use: (address: number) => Result): Result {
    const address = this.allocator.allocate(bytes);
    try {
      return use(address);
    } finally {
      this.allocator.release(address);
    }
  }
}
