import type * as tf from '@tensorflow/tfjs-core';

/**
 * Arithmetic of a training step. With `'mixed'`, matrix products take float16 operands and add in float32, and the engine may keep the activations
 * between layers, and their gradients, as float16. Weights and their gradients, statistics, loss and optimizer are float32 in both precisions. The
 * dtype of every tensor is float32 too.
 */
export type Precision = 'float32' | 'mixed';

/** The description of a running engine. */
export interface EngineDescription {
  /** Name for `startEngine`, for example `'simd'`. */
  readonly name: string;
  /** Name of the TensorFlow.js backend that it registered and made current. */
  readonly backend: string;
  /** The processor or the adapter that computes, with the number of threads if the engine has threads. */
  readonly device: string;
  /** Version of the engine and of the software below it, as text for people. */
  readonly version: string;
  /** The precisions it can train with. */
  readonly precisions: readonly Precision[];
  /** Number of threads that compute, including the calling thread; 1 if there is no pool. */
  readonly threads: number;
  /** Whether it computes beside the calling thread, so that a call returns before its work is done. Default: false. */
  readonly runsAhead?: boolean;
}

/** A complete step: a synchronous function of named tensors and of variables. */
export type StepFunction = (inputs: Readonly<Record<string, tf.Tensor>>) => Record<string, tf.Tensor>;

/** Exact shape and dtype of every input of a step. */
export type StepInputs = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly dtype: 'float32' | 'int32' | 'bool' }>
>;

/** A step that an engine has recorded and replays. */
export interface CapturedStep {
  /**
   * Runs the step. The engine does the same as if the step's function had run, but without its JavaScript.
   *
   * @param inputs - every input, of the shape and dtype of the recording; not disposed.
   * @returns new tensors, which the caller disposes.
   */
  replay(inputs: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Tensor>;
  /**
   * Records the step again and compares it with the recording.
   *
   * @throws Error if they differ, because the step depends on a JavaScript number that has changed.
   */
  check(): void;
  /** Frees its memory. Variables and outputs that are still in use stay. */
  dispose(): void;
}

/** Options for the start of an engine. An engine ignores options that do not apply to it. */
export interface EngineOptions {
  /** Number of threads that compute, including the calling thread. Default: the machine's available processors. */
  readonly threads?: number;
  /**
   * Whether a GPU engine may run on an adapter that computes on the processor. The results are right, but training is far too slow. Default: true if the
   * environment variable `TFJS_SSL_SOFTWARE_GPU` is 1, else false.
   */
  readonly softwareAdapter?: boolean;
  /** Whether to refuse an engine that does not compute on a GPU. Default: false. */
  readonly requireGpu?: boolean;
}

/**
 * Whether an engine can run here and, if not, the reason and what to do. `gpu` tells whether it would compute on a GPU; if it is absent, it
 * would not. `onlyGpuMissing` means that `requireGpu` was set, and that the engine could probably compute on the processor.
 */
export type EngineAvailability =
  | { readonly available: true; readonly gpu?: boolean }
  | { readonly available: false; readonly reason: string; readonly onlyGpuMissing?: boolean };

/**
 * The module that an engine's package exports. `@tfjs-ssl/engine` knows nothing else about an engine.
 *
 * An engine registers a TensorFlow.js backend, and kernels for it under the names that `@tfjs-ssl/ops` uses.
 */
export interface EngineModule {
  readonly name: string;
  /**
   * Tells whether the engine can run here with these options. It starts nothing that must be stopped.
   *
   * @param options - the options for `start`. If the engine knows why it cannot meet `requireGpu`, it says so.
   */
  probe(options?: EngineOptions): Promise<EngineAvailability>;
  /**
   * Starts the engine and makes its backend the current one. If the engine is running already, it returns its description.
   *
   * @throws Error that says what to do, if the engine cannot run.
   */
  start(options?: EngineOptions): Promise<EngineDescription>;
  /** Ends the engine's threads and frees its memory. Its tensors are lost. */
  stop(): Promise<void>;
  /**
   * Records a step for replay. This function is optional; without it, a compiled step runs op by op.
   *
   * The caller has run the step once before, so everything that the first run creates exists. The function runs the step again to record it. This run has
   * no visible effect: variables keep their values.
   *
   * @throws Error that gives the reason and says what to do, if the step cannot be recorded.
   */
  capture?(step: StepFunction, inputs: StepInputs): CapturedStep;
  /**
   * Runs a function whose kernels compute with this precision. Engines that have only float32 do not need it.
   */
  withPrecision?<T>(precision: Precision, run: () => T): T;
  /** How arrays and the tensors of its backend exchange values without arrays in between. Engines that have nothing better do not need it. */
  readonly transfer?: Transfer;
}

/** Copies values between arrays and float32 tensors. */
interface Transfer {
  /** @param target - as many elements as the tensor has. */
  readInto(tensor: tf.Tensor, target: Float32Array): void;
  /** A new tensor, which keeps nothing of the array. */
  tensorOf(values: Float32Array, shape: readonly number[]): tf.Tensor;
}
