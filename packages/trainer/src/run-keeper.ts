import type { Cursor, StepRecord } from './events.ts';
import type { TrainerState } from './trainer-state.ts';

/** A checkpoint that a {@link RunKeeper} has kept. */
export interface KeptCheckpoint {
  /** Steps it holds; the index of the step a resume starts with. */
  readonly stepsDone: number;
  /** Where it is, for people and events: a path, an address, a key. */
  readonly path: string;
}

/**
 * What keeps a run while {@link Trainer.fit} trains it: a folder ({@link RunFolder}), a database of a page, memory.
 *
 * The loop awaits every call, and calls in this order: `begin`; then for each step `append`, and `saveCheckpoint` where one is due; `end`.
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
  /** The values of the steps so far, in order: those of an epoch that a resume has cut in two give its means. */
  readonly records: readonly StepRecord[];
  /** The checkpoint that was kept or restored last; the loop keeps one at its end only where the last step is not in it. */
  readonly lastCheckpoint: KeptCheckpoint | null;

  /**
   * Takes the run for this training alone.
   *
   * @param position - steps that the trainer has done, and the batch that comes next.
   * @throws Error where the trainer does not stand where the run does, or another trains the run.
   */
  begin(position: { readonly stepsDone: number; readonly cursor: Cursor }): Promise<void>;

  /** Takes the values of a step over. */
  append(record: StepRecord): Promise<void>;

  /**
   * Keeps a state, after the values of its steps.
   *
   * @param state - the trainer's; not changed later.
   * @param cursor - the batch that comes next.
   */
  saveCheckpoint(
    state: TrainerState,
    cursor: Cursor,
    options: { readonly stepsPerEpoch: number },
  ): Promise<KeptCheckpoint>;

  /** Brings all to where it is kept and gives the run free; called once after `begin`, after an error too. */
  end(): Promise<void>;
}
