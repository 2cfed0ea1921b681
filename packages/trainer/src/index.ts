export type { BatchStatistics, World } from '@tfjs-ssl/ops';
export type { AfterUpdate, AfterUpdates } from './after-update.ts';
export { clipByGlobalNorm } from './clip-by-global-norm.ts';
export { DivergenceError } from './divergence-error.ts';
export type {
  CheckpointEvent,
  Cursor,
  EndEvent,
  EpochEvent,
  FitEvent,
  Seconds,
  StepEvent,
  StepRecord,
  StepResult,
} from './events.ts';
export { type Chunk, type GradCacheOptions, gradCache } from './grad-cache.ts';
export { type FitOptions, lastEvent } from './loop.ts';
export { type AdamOptions, adam, adamW } from './optimizers/adam.ts';
export type { Exclusion } from './optimizers/exclusion.ts';
export { type LarsOptions, lars } from './optimizers/lars.ts';
export type { LarsFlavour } from './optimizers/momentum-rule.ts';
export { type SgdOptions, sgd } from './optimizers/sgd.ts';
export type { FrozenAtFirst } from './parameter-update.ts';
export type { GradientExchange } from './ranks/sum-over-ranks.ts';
export type { CheckpointManifest } from './run/checkpoint-manifest.ts';
export {
  type Checkpoint,
  CheckpointStore,
  type NewestCheckpoint,
  type RejectedCheckpoint,
} from './run/checkpoint-store.ts';
export { type ConfigDifference, configDifferences, formatDifferences } from './run/config-differences.ts';
export { MetricsLog } from './run/metrics-log.ts';
export type { RunConfig } from './run/run-config.ts';
export { type Restorable, type Restored, RunFolder, type RunFolderOptions } from './run/run-folder.ts';
export { TensorBoardLog } from './run/tensorboard/tensorboard-log.ts';
export type { KeptCheckpoint, RunKeeper } from './run-keeper.ts';
export { type ConstantScheduleOptions, constantSchedule } from './schedules/constant-schedule.ts';
export { type CosineMomentumOptions, cosineMomentum } from './schedules/cosine-momentum.ts';
export { type EpochCosineOptions, epochCosine } from './schedules/epoch-cosine.ts';
export { type WarmupCosineOptions, warmupCosine } from './schedules/warmup-cosine.ts';
export type { LossAndMetrics } from './step.ts';
export { firstAndLastTenth } from './tenths.ts';
export { Trainer, type TrainerOptions } from './trainer.ts';
export type { TrainerState } from './trainer-state.ts';
export type { NamedTensors, NamedVariables, Optimizer, OptimizerState, Schedule } from './types.ts';
