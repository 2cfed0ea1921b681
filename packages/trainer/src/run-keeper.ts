import type { Cursor, StepRecord } from './events.ts';
import type { TrainerState } from './trainer-state.ts';

/** A checkpoint that a {@link RunKeeper} has kept. */
export interface KeptCheckpoint {
  /** Steps it holds; the index of the step a resume starts with. */
  readonly stepsDone: number;
  /** Where the checkpoint is, for people and events: a path, an address, a key. */
  readonly path: string;
}

/**
 * Keeps a run while {@link Trainer.fit} trains it: in a folder ({@link RunFolder}), in a page's database, in memory.
 *
 * The loop awaits every call. It calls `begin`, then `append` for each step and `saveCheckpoint` when one is due, then `end`.
 *
 * @example
 * ```ts
 * import type { Cursor, RunKeeper, StepRecord, TrainerState } from '@tfjs-ssl/trainer';
 *
 * // keeps the last state of a run in memory; a page writes it to IndexedDB in the same places
 * class RunInMemory implements RunKeeper {
 *   readonly records: StepRecord[] = [];
 *   lastCheckpoint: { stepsDone: number; path: string } | null = null;
 *   state: TrainerState | null = null; // for trainer.restore(state)
 *
 *   async begin({ stepsDone }: { stepsDone: number }): Promise<void> {
 *     this.records.splice(stepsDone); // steps after the checkpoint were done in vain
 *   }
 *   async append(record: StepRecord): Promise<void> {
 *     this.records.push(record);
 *   }
 *   async saveCheckpoint(state: TrainerState, cursor: Cursor): Promise<{ stepsDone: number; path: string }> {
 *     this.state = state;
 *     this.lastCheckpoint = { stepsDone: state.step, path: `memory, epoch ${cursor.epoch}` };
 *     return this.lastCheckpoint;
 *   }
 *   async end(): Promise<void> {}
 * }
 * console.log(new RunInMemory().records.length); // give it to trainer.fit({ ..., run })
 * ```
 */
export interface RunKeeper {
  /** The values of the steps so far, in order. After a resume within an epoch, the loop needs them for the epoch's means. */
  readonly records: readonly StepRecord[];
  /** The checkpoint that was kept or restored last. At its end the loop keeps another one only if this one lacks the last step. */
  readonly lastCheckpoint: KeptCheckpoint | null;

  /**
   * Reserves the run for this training.
   *
   * @param position - steps that the trainer has done, and the batch that comes next.
   * @throws Error if the trainer's position differs from the run's, or another training holds the run.
   */
  begin(position: { readonly stepsDone: number; readonly cursor: Cursor }): Promise<void>;

  /** Adds the values of a step. */
  append(record: StepRecord): Promise<void>;

  /**
   * Keeps a state. The values of its steps must be kept first.
   *
   * @param state - the trainer's; not changed later.
   * @param cursor - the batch that comes next.
   */
  saveCheckpoint(state: TrainerState, cursor: Cursor): Promise<KeptCheckpoint>;

  /** Writes everything and releases the run. Called once after each `begin`, also after an error. */
  end(): Promise<void>;
}
