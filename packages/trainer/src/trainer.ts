import type * as tf from '@tensorflow/tfjs-core';
import type { InputSpecs, InputTensors, Precision } from '@tfjs-ssl/engine';
import { checkOptions } from './check-options.ts';
import type { FitEvent, StepResult } from './events.ts';
import { type FitOptions, fit } from './loop.ts';
import { dynamicLossScale, type LossScale } from './loss-scale.ts';
import { type LossAndMetrics, type TrainingStep, trainingStep } from './step.ts';
import { assignVariables, readVariables, stateVariables, type TrainerState } from './trainer-state.ts';
import type { NamedVariables, Optimizer, OptimizerState, Schedule } from './types.ts';

/** What a {@link Trainer} trains, and how. */
export interface TrainerOptions<Inputs extends InputSpecs, Metric extends string> {
  /** Variables to train, by name; `namedWeights` of the layers package gives PyTorch's names. They stay the caller's. */
  readonly parameters: NamedVariables;
  /** Variables that the loss changes by itself (running statistics); saved with the parameters. Default: none. */
  readonly buffers?: NamedVariables;
  /** Every input of the step by name: exact shape and dtype (default float32). */
  readonly inputs: Inputs;
  /**
   * Loss, alone or with metrics to watch, as scalars; a function of its input tensors and of variables alone. Each input has the rank of its
   * shape.
   */
  readonly loss: (inputs: InputTensors<Inputs>) => tf.Tensor | LossAndMetrics<Metric>;
  readonly optimizer: Optimizer;
  /** Learning rate as a function of the step (from 0). */
  readonly schedule: Schedule;
  /** Largest L2 norm of all gradients together; greater ones are scaled down to it. Default: no clipping. */
  readonly clipNorm?: number;
  /**
   * Arithmetic of the step. `'mixed'`, float16 in matrix products and between layers, needs an engine that has it; the loss is then scaled
   * dynamically, and a step in whose gradients something overflows is skipped and reported. Default: `'float32'`.
   */
  readonly precision?: Precision;
}

/**
 * Trains variables by gradient descent: one compiled step, its state, and the loop around it.
 *
 * A step is: loss → gradients → clipping → update by the optimizer. The trainer knows no model, no data and no particular loss;
 * all its state is in variables and in the number of steps done, so that {@link Trainer.snapshot} and {@link Trainer.restore}
 * continue a run exactly.
 *
 * The caller owns parameters and buffers; {@link Trainer.dispose} frees the optimizer's slots.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import '@tensorflow/tfjs-layers'; // registers the gradients in Node
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { adam, constantSchedule, Trainer } from '@tfjs-ssl/trainer';
 *
 * await startEngine('auto');
 * const weight = tf.variable(tf.zeros([3, 1]));
 * const trainer = new Trainer({
 *   parameters: { weight },
 *   inputs: { x: { shape: [8, 3] }, y: { shape: [8, 1] } },
 *   loss: ({ x, y }) => tf.mean(tf.squaredDifference(tf.matMul(x, weight), y)),
 *   optimizer: adam(),
 *   schedule: constantSchedule({ learningRate: 0.1 }),
 * });
 * const inputs = { x: tf.randomNormal([8, 3]), y: tf.ones([8, 1]) };
 * console.log((await trainer.step(inputs)).loss);
 * ```
 */
export class Trainer<const Inputs extends InputSpecs, Metric extends string = never> {
  readonly parameters: NamedVariables;
  readonly buffers: NamedVariables;
  readonly #options: TrainerOptions<Inputs, Metric>;
  readonly #optimizerState: OptimizerState;
  readonly #variables: NamedVariables;
  readonly #step: TrainingStep<keyof Inputs & string>;
  readonly #lossScale: LossScale | null;
  #stepsDone = 0;
  #spoiled = false;

  /**
   * @param options - see {@link TrainerOptions}.
   * @throws RangeError where a name or a variable comes twice or `clipNorm` is not a finite number > 0; Error where the engine in use does not have
   * the precision.
   */
  constructor(options: TrainerOptions<Inputs, Metric>) {
    const { parameters, buffers = {}, optimizer, precision = 'float32' } = options;
    checkOptions(options);
    const { clipNorm } = options;
    this.parameters = parameters;
    this.buffers = buffers;
    this.#options = options;
    this.#optimizerState = optimizer.createState(parameters);
    this.#lossScale = precision === 'mixed' ? dynamicLossScale() : null;
    this.#variables = {
      ...stateVariables({ ...parameters, ...buffers }, this.#optimizerState),
      ...prefixed('lossScale.', this.#lossScale?.variables ?? {}),
    };
    const [state, lossScale] = [this.#optimizerState, this.#lossScale];
    try {
      this.#step = trainingStep({ ...options, state, clipNorm, precision, lossScale });
    } catch (error) {
      this.#disposeState();
      throw error;
    }
  }

  /** Steps done since the start of the run, those before a resume included; the index of the next one. */
  get stepsDone(): number {
    return this.#stepsDone;
  }

  /**
   * Trains one step.
   *
   * @param inputs - exactly the inputs of the options; not disposed.
   * @returns the values of this batch, read back once.
   * @throws RangeError or TypeError where an input does not fit.
   * @throws Error where the loss is not finite. Parameters, buffers and moments are spoiled then: only seeing the loss before the
   * update could spare them, and that would halt every step. The trainer refuses to go on or to be saved until a state
   * is restored. In mixed precision such a step is skipped: it leaves them sound, and the trainer can go on.
   */
  async step(inputs: Readonly<Record<keyof Inputs & string, tf.Tensor>>): Promise<StepResult<Metric>> {
    this.#checkUsable();
    const { optimizer, schedule } = this.#options;
    const step = this.#stepsDone;
    const learningRate = schedule(step);
    if (!(learningRate >= 0 && learningRate < Number.POSITIVE_INFINITY)) {
      throw new RangeError(
        `Trainer: schedule must give a learning rate of at least 0, got ${learningRate} at step ${step}. Correct the schedule.`,
      );
    }
    const output = this.#step.run(inputs, optimizer.scalars(step + 1, learningRate));
    this.#stepsDone++;
    const [loss, ...others] = await output.data();
    output.dispose();
    const named = this.#step.metricNames.map((name, i) => [name, others[i]]);
    const [lossScale, skips] = others.slice(named.length) as [number?, number?];
    const skipped = skips !== undefined && skips !== 0;
    if (!Number.isFinite(loss)) {
      this.#spoiled = !skipped;
      throw new Error(await nonFiniteLoss({ step, loss: loss as number, learningRate, skipped }, inputs));
    }
    const result = { step, loss: loss as number, metrics: Object.fromEntries(named), learningRate };
    return lossScale === undefined ? result : { ...result, lossScale, skipped };
  }

  /**
   * Trains whole epochs; see {@link FitOptions} and {@link FitEvent}.
   *
   * @returns the events of the run as they happen; leaving the loop early is safe.
   */
  fit<Batch>(
    options: FitOptions<Batch, keyof Inputs & string, Metric>,
  ): AsyncGenerator<FitEvent<Metric>, void, undefined> {
    return fit(this, options);
  }

  /**
   * Copies out all that the run needs to go on.
   *
   * @throws Error where a value is not finite: such a state is worth nothing and must not replace a good one.
   */
  async snapshot(): Promise<TrainerState> {
    this.#checkUsable();
    return { step: this.#stepsDone, tensors: await readVariables(this.#variables) };
  }

  /**
   * Goes back to a state; the next step continues it exactly.
   *
   * @param state - what {@link Trainer.snapshot} gave of a trainer with the same parameters, buffers and optimizer; copied.
   * @throws RangeError that lists what does not fit; nothing is changed then.
   */
  restore(state: TrainerState): void {
    assignVariables(this.#variables, state.tensors);
    this.#stepsDone = state.step;
    this.#spoiled = false;
  }

  /**
   * Checks that the step still is what the engine recorded, where it records steps: that it reads no number of JavaScript which has changed
   * since. {@link Trainer.fit} does so at the end of every epoch.
   *
   * @throws Error that says where it differs.
   */
  checkStep(): void {
    this.#step.check();
  }

  /** Frees the optimizer's slots and the recording of the step; parameters and buffers stay. */
  dispose(): void {
    this.#step.dispose();
    this.#disposeState();
  }

  #disposeState(): void {
    const slots = [...Object.values(this.#optimizerState), this.#lossScale?.variables ?? {}];
    for (const slot of slots) for (const variable of Object.values(slot)) variable.dispose();
  }

  #checkUsable(): void {
    if (!this.#spoiled) return;
    throw new Error('Trainer: an earlier loss was not finite and spoiled the parameters. Restore a checkpoint first.');
  }
}

const prefixed = (prefix: string, variables: NamedVariables): NamedVariables =>
  Object.fromEntries(Object.entries(variables).map(([name, variable]) => [prefix + name, variable]));

async function nonFiniteLoss(
  {
    step,
    loss,
    learningRate,
    skipped,
  }: Required<Pick<StepResult<never>, 'step' | 'loss' | 'learningRate' | 'skipped'>>,
  inputs: Readonly<Record<string, tf.Tensor>>,
): Promise<string> {
  const bad: string[] = [];
  for (const [name, tensor] of Object.entries(inputs)) {
    if (!(await tensor.data()).every(Number.isFinite)) bad.push(`'${name}'`);
  }
  const cause =
    bad.length > 0
      ? `Its input ${bad.join(', ')} holds NaN or infinite values: check the images.`
      : `Its inputs are finite: the learning rate (${learningRate}) may be too high; lower it, warm up, or set \`clipNorm\`.`;
  const state = skipped
    ? 'The step was skipped, and the state is sound: go on without this batch, or resume from the last checkpoint.'
    : 'This state is spoiled; the last checkpoint is intact: resume from it.';
  return `Trainer: the loss of step ${step} is ${loss}. ${cause} ${state}`;
}
