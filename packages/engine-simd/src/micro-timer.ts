import { createMemory, instantiate, type KernelExports } from './kernel-module.ts';
import type { Variant } from './variant.ts';

/** Micro-kernels of `microLoop`: packed, rows, columns. */
const KINDS = [0, 1, 2] as const;
const DEPTH = 128;
/** Multiplications of one timing; some 0.1 ms when optimised. */
const WORK = 2_000_000;

/** Times the micro-kernels of one variant. */
export class MicroTimer {
  readonly variant: Variant;
  /** Best time of each micro-kernel for the same amount of work, milliseconds. */
  readonly best: number[] = KINDS.map(() => Number.POSITIVE_INFINITY);
  readonly #kernels: KernelExports;
  readonly #repetitions: number;

  private constructor(variant: Variant, kernels: KernelExports) {
    this.variant = variant;
    this.#kernels = kernels;
    this.#repetitions = Math.ceil(WORK / (variant.rows * variant.columns * DEPTH));
  }

  static async create(variant: Variant): Promise<MicroTimer> {
    return new MicroTimer(variant, await instantiate(variant.module, createMemory(32, variant.shared)));
  }

  /** Sum of the best times. */
  get total(): number {
    return this.best.reduce((sum, time) => sum + time, 0);
  }

  /** Times each micro-kernel once; says whether one was much faster than ever before, as optimised code is. */
  run(): boolean {
    let improved = false;
    for (const kind of KINDS) {
      const start = performance.now();
      this.#kernels.microLoop(kind, DEPTH, this.#repetitions);
      // Repetitions are whole: the time is scaled to the same work for all variants.
      const share = WORK / (this.variant.rows * this.variant.columns * DEPTH * this.#repetitions);
      const time = (performance.now() - start) * share;
      const best = this.best[kind] as number;
      if (time < 0.9 * best) improved = true;
      this.best[kind] = Math.min(best, time);
    }
    return improved;
  }
}
