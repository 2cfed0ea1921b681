/** Where a run stands in its data. */
export interface Cursor {
  /** Index of the epoch, from 0. */
  readonly epoch: number;
  /** Index of the step within the epoch, from 0. */
  readonly step: number;
}

/** Where the time went, in seconds. */
export interface Seconds {
  /** Waiting for the next batch. */
  readonly load: number;
  /** Making input tensors of it. */
  readonly prepare: number;
  /** Training the step, until its loss is read. */
  readonly step: number;
}

/** One line of `metrics.jsonl`: a step's values, of its batch before its update. */
export interface StepRecord<Metric extends string = string> {
  /** Index of the step, from 0 over the whole run. */
  readonly step: number;
  /** Index of the epoch, from 0. */
  readonly epoch: number;
  readonly loss: number;
  readonly metrics: Readonly<Record<Metric, number>>;
  readonly learningRate: number;
  /** Factor by which the loss was scaled; in mixed precision only. */
  readonly lossScale?: number;
  /** Whether the update was skipped because a gradient overflowed; in mixed precision only. */
  readonly skipped?: boolean;
  readonly seconds: Seconds;
  /** Images of the batch by the sum of the seconds. */
  readonly imagesPerSecond: number;
}

/** A step is done. */
export interface StepEvent<Metric extends string = string> extends StepRecord<Metric> {
  readonly type: 'step';
}

/** An epoch is done. */
export interface EpochEvent<Metric extends string = string> {
  readonly type: 'epoch';
  /** Index of the epoch, from 0. */
  readonly epoch: number;
  /** Steps done since the start of the run. */
  readonly stepsDone: number;
  /** Steps the means are over: all of the epoch, unless the run was resumed within it without a run folder. */
  readonly steps: number;
  /** Mean of the epoch's losses. */
  readonly loss: number;
  /** Means of the epoch's metrics. */
  readonly metrics: Readonly<Record<Metric, number>>;
  /** Learning rate of its last step. */
  readonly learningRate: number;
  /** Steps whose update was skipped because a gradient overflowed; in mixed precision only. */
  readonly skippedSteps?: number;
  /** Sums over its steps. */
  readonly seconds: Seconds;
  readonly imagesPerSecond: number;
}

/** A checkpoint is on disk. */
export interface CheckpointEvent {
  readonly type: 'checkpoint';
  /** Steps it holds; the index of the step a resume starts with. */
  readonly stepsDone: number;
  /** The safetensors file. */
  readonly path: string;
  /** What reading the state and writing it took. */
  readonly seconds: number;
}

/** All epochs are done (`end`), or the signal stopped the run after a whole step (`interrupted`). */
export interface EndEvent {
  readonly type: 'end' | 'interrupted';
  /** Steps done since the start of the run. */
  readonly stepsDone: number;
  /** The safetensors file of the last state; null without a run folder. */
  readonly checkpoint: string | null;
}

/** What {@link Trainer.fit} yields. Order at the end of an epoch: step, epoch, checkpoint. */
export type FitEvent<Metric extends string = string> =
  | StepEvent<Metric>
  | EpochEvent<Metric>
  | CheckpointEvent
  | EndEvent;

/** The result of one step: the values of its batch before its update. */
export interface StepResult<Metric extends string> {
  /** Index of the step, from 0 over the whole run. */
  readonly step: number;
  readonly loss: number;
  readonly metrics: Readonly<Record<Metric, number>>;
  /** Learning rate of its update. */
  readonly learningRate: number;
  /** Factor by which the loss was scaled; in mixed precision only. */
  readonly lossScale?: number;
  /** Whether the update was skipped because a gradient overflowed; in mixed precision only. */
  readonly skipped?: boolean;
}
