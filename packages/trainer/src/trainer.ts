import type * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import type { InputSpecs, InputTensors, Precision } from '@tfjs-ssl/engine';
import type { BatchStatistics, World } from '@tfjs-ssl/ops';
import { type AfterUpdates, afterScalars, afterVariables } from './after-update.ts';
import { checkOptions } from './check-options.ts';
import { DivergenceError } from './divergence-error.ts';
import type { FitEvent, StepResult } from './events.ts';
import { type FitOptions, fit } from './loop.ts';
import { dynamicLossScale, type LossScale } from './loss-scale.ts';
import { type FrozenAtFirst, type ParameterUpdate, parameterUpdate } from './parameter-update.ts';
import { type RankTeam, rankTeam } from './ranks/rank-team.ts';
import type { GradientExchange } from './ranks/sum-over-ranks.ts';
import { type LossAndMetrics, type TrainingStep, trainingStep } from './step.ts';
import { assignVariables, checkFinite, readVariables, stateVariables, type TrainerState } from './trainer-state.ts';
import type { NamedVariables, Optimizer, OptimizerState, Schedule } from './types.ts';

/** What a {@link Trainer} trains, and how. */
export interface TrainerOptions<Inputs extends InputSpecs, Metric extends string> {
  /** Variables to train, by name; `namedWeights` of the layers package returns PyTorch's names. The caller still owns them. */
  readonly parameters: NamedVariables;
  /** Variables that the loss itself changes (running statistics, a queue, a center); saved with the parameters. Default: none. */
  readonly buffers?: NamedVariables;
  /** Every input of the step by name: exact shape and dtype (default float32). */
  readonly inputs: Inputs;
  /**
   * Returns the loss as a scalar, alone or with metrics to watch. It may depend only on its input tensors and on variables. Each input has
   * the rank of its shape.
   */
  readonly loss: (inputs: InputTensors<Inputs>) => tf.Tensor | LossAndMetrics<Metric>;
  /**
   * Divides the inputs of a step into chunks of equal size, for gradient accumulation: the step's loss, metrics and gradients are the means of
   * those of its chunks, and only one chunk's activations are in memory at a time. `feed.chunks(inputs, 8)` of `@tfjs-ssl/feed` does so.
   *
   * This equals the loss of the whole batch, within rounding, if the loss is a mean over samples. Batch norm uses the statistics of a chunk and moves its
   * running statistics once per chunk. Losses that compare the images of a batch see only one chunk; use {@link gradCache} for them.
   * Default: one chunk.
   */
  readonly chunks?: (inputs: InputTensors<Inputs>) => ReadonlyArray<{ readonly [Name in keyof Inputs]: tf.Tensor }>;
  readonly optimizer: Optimizer;
  /** Learning rate as a function of the step (from 0). */
  readonly schedule: Schedule;
  /**
   * What a step does after the optimizer's update, by name and in this order: moving averages of weights, prototypes of unit length. Their
   * variables are saved with the run. Default: nothing.
   */
  readonly afterUpdate?: AfterUpdates;
  /** Parameters that stay as they are in the first steps, such as the last layer of DINO's head. Default: none. */
  readonly frozenAtFirst?: FrozenAtFirst;
  /** Largest L2 norm of all gradients together; larger gradients are scaled down to it. Default: no clipping. */
  readonly clipNorm?: number;
  /**
   * Precision of the step. `'mixed'` uses float16 in matrix products and between layers, and needs an engine that supports it. The loss is
   * then scaled dynamically, and a step whose gradients overflow is skipped and reported. Default: `'float32'`.
   */
  readonly precision?: Precision;
  /**
   * Other processes that train the same, each with its part of every batch: what `openMpi` of `@tfjs-ssl/mpi` returns. Gradients, loss and
   * metrics are the means over all ranks. Loss functions that compare images take those of all ranks by `gatherViews`. Default: none.
   */
  readonly world?: World;
  /**
   * Where batch norm takes its statistics from, with a `world`. `'batch'`: from the parts of all ranks, as one process does. `'rank'`: from
   * the part of each rank, which saves two small exchanges per layer; running statistics are then means over the ranks. An engine that records
   * steps (`'webgpu'`) needs `'rank'`, and a loss without `gatherViews`. Default: `'batch'`.
   */
  readonly batchStatistics?: BatchStatistics;
  /** Numbers that gradients travel as between ranks. `'bfloat16'` halves the bytes and rounds to 8 bits. Default: `'float32'`. */
  readonly gradientExchange?: GradientExchange;
}

/**
 * Trains variables by gradient descent: one compiled step, its state, and the loop around it.
 *
 * A step is: loss → gradients → clipping → update by the optimizer → updates after it. The trainer works with any model, data and loss.
 * All its state is in variables and in the number of steps done, so {@link Trainer.snapshot} and {@link Trainer.restore}
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
  readonly #update: ParameterUpdate;
  readonly #step: TrainingStep<keyof Inputs & string>;
  readonly #lossScale: LossScale | null;
  readonly #ranks: RankTeam | null;
  #stepsDone = 0;
  /** Whether all ranks have been seen to hold the same weights after a step. */
  #sameOnRanks = false;
  #spoiled = false;
  /** Whether a step waits for the other ranks. */
  #exchanging = false;

  /**
   * @param options - see {@link TrainerOptions}.
   * @throws RangeError if a name or a variable occurs twice, `clipNorm` is not a finite number > 0, or `batchStatistics` is `'batch'` in a world
   * of several ranks on an engine that records steps; Error if the engine in use does not support the precision.
   */
  constructor(options: TrainerOptions<Inputs, Metric>) {
    const { parameters, buffers = {}, optimizer, afterUpdate = {}, precision = 'float32' } = options;
    checkOptions(options);
    this.#ranks = rankTeam(options);
    const { clipNorm } = options;
    this.parameters = parameters;
    this.buffers = buffers;
    this.#options = options;
    this.#optimizerState = optimizer.createState(parameters);
    this.#update = parameterUpdate(optimizer, parameters, this.#optimizerState, options.frozenAtFirst);
    this.#lossScale = precision === 'mixed' ? dynamicLossScale() : null;
    this.#variables = {
      ...stateVariables({ ...parameters, ...buffers }, this.#optimizerState),
      ...prefixed('frozenAtFirst.', this.#update.variables),
      ...prefixed('lossScale.', this.#lossScale?.variables ?? {}),
      ...prefixed('afterUpdate.', afterVariables(afterUpdate)),
    };
    const [update, lossScale] = [this.#update, this.#lossScale];
    try {
      const ranks = this.#ranks;
      this.#step = trainingStep({ ...options, update, afterUpdate, clipNorm, precision, lossScale, ranks });
    } catch (error) {
      this.#disposeState();
      throw error;
    }
  }

  /** Steps done since the start of the run, including those before a resume; the index of the next step. */
  get stepsDone(): number {
    return this.#stepsDone;
  }

  /**
   * Trains one step.
   *
   * @param inputs - exactly the inputs named in the options; not disposed.
   * @returns the values of this batch, read back once.
   * @throws RangeError or TypeError if an input does not fit.
   * @throws DivergenceError if the loss is not finite. Parameters, buffers and moments are then spoiled, because reading the loss before the
   * update would slow down every step. The trainer refuses further steps and snapshots until a state is restored. In mixed
   * precision such a step is skipped: the state stays sound, and the trainer can continue.
   */
  async step(inputs: Readonly<Record<keyof Inputs & string, tf.Tensor>>): Promise<StepResult<Metric>> {
    this.#checkUsable();
    const { schedule, afterUpdate = {} } = this.#options;
    const step = this.#stepsDone;
    const learningRate = schedule(step);
    if (!(learningRate >= 0 && learningRate < Number.POSITIVE_INFINITY)) {
      throw argumentError({
        fn: 'Trainer',
        argument: 'schedule',
        required: 'give a finite learning rate of at least 0',
        got: learningRate,
        shown: `${learningRate} at step ${step}`,
        advice: 'Correct the schedule.',
      });
    }
    const scalars = [...this.#update.scalars(step, learningRate), ...afterScalars(afterUpdate, step)];
    let output = this.#step.run(inputs, scalars);
    if (output instanceof Promise) output = await this.#alone(output);
    this.#stepsDone++;
    if (!this.#sameOnRanks && this.#ranks) await this.#checkRanks();
    const [loss, ...others] = await output.data();
    output.dispose();
    const named = this.#step.metricNames.map((name, i) => [name, others[i]]);
    const [lossScale, skips] = others.slice(named.length) as [number?, number?];
    const skipped = skips !== undefined && skips !== 0;
    if (!Number.isFinite(loss)) {
      this.#spoiled = !skipped;
      throw await nonFiniteLoss({ step, loss: loss as number, learningRate, skipped }, inputs);
    }
    const result = { step, loss: loss as number, metrics: Object.fromEntries(named), learningRate };
    return lossScale === undefined ? result : { ...result, lossScale, skipped };
  }

  /**
   * Trains whole epochs; see {@link FitOptions} and {@link FitEvent}.
   *
   * @returns the events of the run as they happen; leaving the loop early is safe.
   * @throws DivergenceError if a loss is not finite ({@link Trainer.step}), or if the last update left a value that is not finite.
   */
  fit<Batch>(
    options: FitOptions<Batch, keyof Inputs & string, Metric>,
  ): AsyncGenerator<FitEvent<Metric>, void, undefined> {
    return fit(this, options, this.#ranks);
  }

  /**
   * Copies everything that the run needs to continue.
   *
   * @throws DivergenceError if a value is not finite, so that a spoiled state never replaces a good one.
   */
  async snapshot(): Promise<TrainerState> {
    this.#checkUsable();
    return { step: this.#stepsDone, tensors: await readVariables(this.#variables) };
  }

  /**
   * Restores a state; the next step continues it exactly.
   *
   * @param state - a {@link Trainer.snapshot} of a trainer with the same parameters, buffers, optimizer and updates; copied.
   * @throws RangeError that lists what does not fit; in this case nothing changes.
   */
  restore(state: TrainerState): void {
    this.#checkIdle();
    assignVariables(this.#variables, state.tensors);
    this.#stepsDone = state.step;
    this.#spoiled = false;
  }

  /**
   * Checks that a recorded step is still valid: that it reads no JavaScript number which has changed since it was recorded. Does nothing on
   * engines that do not record. With a `world`, checks that all ranks hold the same bits. {@link Trainer.fit} calls this at the end of every epoch.
   *
   * @throws Error that names the first difference.
   */
  async checkStep(): Promise<void> {
    this.#step.check();
    await this.#checkRanks();
  }

  /**
   * Gives all ranks the state of the first, after checking that they train the same thing. Does nothing without a `world`.
   * {@link Trainer.fit} calls this at its start.
   *
   * @throws Error on all ranks that names what differs.
   */
  async joinRanks(): Promise<void> {
    const {
      optimizer,
      clipNorm = null,
      precision = 'float32',
      batchStatistics = null,
      gradientExchange = null,
    } = this.#options;
    const variables = Object.entries(this.#variables).map(([name, { shape }]) => `${name} [${shape}]`);
    this.#ranks?.checkSettings({
      variables,
      optimizer: { name: optimizer.name, ...optimizer.config },
      clipNorm,
      precision,
      batchStatistics,
      gradientExchange,
    });
    if (this.#ranks) this.#stepsDone = await this.#alone(this.#ranks.share(this.#variables, this.#stepsDone));
  }

  async #checkRanks(): Promise<void> {
    if (this.#ranks) await this.#alone(this.#ranks.checkSame(this.#variables));
    this.#sameOnRanks = true;
  }

  /** Waits for what ranks do together; no step may begin before it ends. */
  async #alone<Result>(work: Promise<Result>): Promise<Result> {
    this.#exchanging = true;
    try {
      return await work;
    } finally {
      this.#exchanging = false;
    }
  }

  /**
   * Checks that parameters, buffers and slots hold finite values, as {@link Trainer.snapshot} does, without keeping a copy. {@link Trainer.fit}
   * calls this at its end where nothing keeps the run: no loss shows what the last update has done.
   *
   * @throws DivergenceError that names the first one that does not.
   */
  async checkFinite(): Promise<void> {
    this.#checkUsable();
    await checkFinite(this.#variables);
  }

  /** Frees the optimizer's slots and the recording of the step; parameters and buffers stay. */
  dispose(): void {
    this.#step.dispose();
    this.#disposeState();
  }

  #disposeState(): void {
    const slots = [...Object.values(this.#optimizerState), this.#update.variables, this.#lossScale?.variables ?? {}];
    for (const slot of slots) for (const variable of Object.values(slot)) variable.dispose();
  }

  #checkIdle(): void {
    if (!this.#exchanging) return;
    throw new Error('Trainer: a step waits for the other ranks. Await its promise before anything else.');
  }

  #checkUsable(): void {
    this.#checkIdle();
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
): Promise<DivergenceError> {
  const bad: string[] = [];
  for (const [name, tensor] of Object.entries(inputs)) {
    if (!(await tensor.data()).every(Number.isFinite)) bad.push(`'${name}'`);
  }
  const cause =
    bad.length > 0
      ? `Its input ${bad.join(', ')} holds NaN or infinite values: check the images.`
      : `Its inputs are finite: the learning rate (${learningRate}) may be too high; lower it, warm up, or set \`clipNorm\`.`;
  const advice = skipped
    ? 'The step was skipped, and the state is sound: go on without this batch, or resume from the last checkpoint.'
    : 'This state is spoiled; the last checkpoint is intact: resume from it.';
  return new DivergenceError(`Trainer: the loss of step ${step} is ${loss}. ${cause}`, advice);
}
