import type * as tf from '@tensorflow/tfjs-core';

/**
 * Arithmetic of a training step. In `'mixed'`, matrix products take operands of float16 and add in float32, and the engine may keep what
 * layers pass on, and its gradients, as float16; weights and their gradients, statistics, loss and optimizer are float32 in both, and so is
 * the dtype of every tensor.
 */
export type Precision = 'float32' | 'mixed';

/** What an engine says about itself once it runs. */
export interface EngineDescription {
  /** Name by which `startEngine` knows it, for example `'simd'`. */
  readonly name: string;
  /** Name of the TensorFlow.js backend that it registered and made current. */
  readonly backend: string;
  /** What computes: processor or adapter, with the number of threads where there are any. */
  readonly device: string;
  /** Version of the engine and of what it stands on, for people to read. */
  readonly version: string;
  /** Arithmetic that it can train with. */
  readonly precisions: readonly Precision[];
  /** Threads that compute, the calling one counted; 1 where there is no pool. */
  readonly threads: number;
  /** Whether it computes beside the calling thread, so that work returns before it is done. Default: false. */
  readonly runsAhead?: boolean;
}

/** A whole step: a synchronous function of named tensors and of variables. */
export type StepFunction = (inputs: Readonly<Record<string, tf.Tensor>>) => Record<string, tf.Tensor>;

/** Exact shape and dtype of every input of a step. */
export type StepInputs = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly dtype: 'float32' | 'int32' | 'bool' }>
>;

/** A step that an engine has recorded and replays. */
export interface CapturedStep {
  /**
   * Runs the step: on the engine's side all is as if its function had run, only without its JavaScript.
   *
   * @param inputs - every input, of the shape and dtype of the recording; not disposed.
   * @returns new tensors, which the caller disposes.
   */
  replay(inputs: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Tensor>;
  /**
   * Records the step again, for comparison alone.
   *
   * @throws Error where it is no longer what was recorded: it depends on a number of JavaScript that has changed.
   */
  check(): void;
  /** Frees its memory. Outputs that somebody still has stay, and so do variables. */
  dispose(): void;
}

/** Choices for the start of an engine; an engine ignores what it has no use for. */
export interface EngineOptions {
  /** Threads that compute, the calling one counted. Default: the machine's available processors. */
  readonly threads?: number;
  /**
   * Whether a GPU engine may run on an adapter that computes on the processor: right, and far too slow to train with. Default: only where the
   * environment variable `TFJS_SSL_SOFTWARE_GPU` is 1.
   */
  readonly softwareAdapter?: boolean;
  /** Whether an engine that does not compute on a GPU is refused. Default: false. */
  readonly requireGpu?: boolean;
}

/**
 * Whether an engine can run here and, if it cannot, the reason and what to do. `gpu` says whether it would compute on a GPU; absent, it
 * would not. `onlyGpuMissing`: it was asked with `requireGpu`, and could as far as is known compute on the processor.
 */
export type EngineAvailability =
  | { readonly available: true; readonly gpu?: boolean }
  | { readonly available: false; readonly reason: string; readonly onlyGpuMissing?: boolean };

/**
 * What the package of an engine exports as `engine`: the only thing that `@tfjs-ssl/engine` knows of it.
 *
 * An engine registers a TensorFlow.js backend and, for it, the kernels that `@tfjs-ssl/ops` names.
 */
export interface EngineModule {
  readonly name: string;
  /**
   * Looks whether the engine can run here with these options, without starting anything that has to be stopped.
   *
   * @param options - what would be asked of its start; an engine that can say why `requireGpu` cannot be met says so.
   */
  probe(options?: EngineOptions): Promise<EngineAvailability>;
  /**
   * Starts the engine (a second call returns the running one) and makes its backend the current one.
   *
   * @throws Error where it cannot run, with what to do.
   */
  start(options?: EngineOptions): Promise<EngineDescription>;
  /** Ends its threads and frees its memory; tensors on it are lost. */
  stop(): Promise<void>;
  /**
   * Records a step to replay it. Optional: without it a compiled step runs as it stands.
   *
   * The step has run once before, so that what it makes at its first run is there. It is run again to record it, and nothing that
   * this computes is seen: variables keep their values.
   *
   * @throws Error where the step cannot be recorded, with the reason and what to do.
   */
  capture?(step: StepFunction, inputs: StepInputs): CapturedStep;
  /**
   * Runs a function, in whose course kernels compute with this precision. Needed by engines with another one than float32.
   */
  withPrecision?<T>(precision: Precision, run: () => T): T;
}
