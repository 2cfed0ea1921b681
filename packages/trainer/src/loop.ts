import * as tf from '@tensorflow/tfjs-core';
import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { runsAhead } from '@tfjs-ssl/engine';
import { summarizeEpoch } from './epoch-means.ts';
import type { CheckpointEvent, Cursor, EndEvent, FitEvent, StepEvent, StepRecord, StepResult } from './events.ts';
import { type Interruption, interruption } from './interruption.ts';
import type { RankTeam } from './ranks/rank-team.ts';
import type { RunKeeper } from './run-keeper.ts';
import type { TrainerState } from './trainer-state.ts';

/** How long to train, on which data, and what to keep. */
export interface FitOptions<Batch, Input extends string, Metric extends string> {
  /** Epochs of the whole run, including those before a resume. */
  readonly epochs: number;
  /** Steps of one epoch. */
  readonly stepsPerEpoch: number;
  /** Images in a batch, those of all ranks together; for `imagesPerSecond`. */
  readonly imagesPerStep: number;
  /** Returns the batches of epoch `cursor.epoch` from `cursor.step` on. If the loop ends early, it calls `return`. */
  readonly batches: (cursor: Cursor) => AsyncIterable<Batch>;
  /** Makes the input tensors of a batch; the loop disposes them after the step. */
  readonly inputs: (
    batch: Batch,
    cursor: Cursor,
  ) => Readonly<Record<Input, tf.Tensor>> | Promise<Readonly<Record<Input, tf.Tensor>>>;
  /**
   * Keeps metrics and checkpoints: a `RunFolder`, or a {@link RunKeeper} of your own. Of several ranks, give it to the first alone, and restore
   * it there: `fit` begins by giving all ranks the state of the first. Default: nothing is kept.
   */
  readonly run?: RunKeeper;
  /** Steps between checkpoints. Default: one at the end of each epoch. There is always one at the end. */
  readonly checkpointEvery?: number;
  /** Ends the run after the step in progress and writes a checkpoint. */
  readonly signal?: AbortSignal;
  /** Called, and awaited, with each event of its type before the event is yielded. */
  readonly on?: {
    readonly [Type in FitEvent['type']]?: (event: Extract<FitEvent<Metric>, { type: Type }>) => void | Promise<void>;
  };
  /**
   * Checks after each step that as many tensors are alive as before it. Leave it off if other code makes tensors meanwhile.
   * Default: false.
   */
  readonly checkTensors?: boolean;
}

/** What the loop needs of a trainer with inputs of these names; see {@link Trainer}. */
interface TrainerOf<Input extends string, Metric extends string> {
  readonly stepsDone: number;
  step(inputs: Readonly<Record<Input, tf.Tensor>>): Promise<StepResult<Metric>>;
  snapshot(): Promise<TrainerState>;
  checkFinite(): Promise<void>;
  checkStep(): Promise<void>;
  joinRanks(): Promise<void>;
}

const now = (): number => performance.now() / 1000;

/**
 * See {@link Trainer.fit}.
 *
 * @param ranks - the other ranks that train this; null without any.
 */
export async function* fit<Batch, Input extends string, Metric extends string>(
  trainer: TrainerOf<Input, Metric>,
  options: FitOptions<Batch, Input, Metric>,
  ranks: RankTeam | null = null,
): AsyncGenerator<FitEvent<Metric>, void, undefined> {
  const { epochs, stepsPerEpoch, imagesPerStep, checkpointEvery = stepsPerEpoch, run, signal } = options;
  checkCounts({ epochs, stepsPerEpoch, imagesPerStep, checkpointEvery });
  ranks?.checkSettings({ epochs, stepsPerEpoch, imagesPerStep });
  await trainer.joinRanks();
  const totalSteps = epochs * stepsPerEpoch;
  const stop = interruption(signal, ranks);
  await run?.begin({ stepsDone: trainer.stepsDone, cursor: cursorAt(trainer.stepsDone, stepsPerEpoch) });
  let failed: { readonly error: unknown } | null = null;
  try {
    while (trainer.stepsDone < totalSteps && !stop.asked) yield* oneEpoch(trainer, options, stop, ranks);
    if (!run) await trainer.checkFinite();
    else if (run.lastCheckpoint?.stepsDone !== trainer.stepsDone) yield await checkpoint(trainer, options, run);
    const type: EndEvent['type'] = trainer.stepsDone < totalSteps ? 'interrupted' : 'end';
    yield await announce(options, {
      type,
      stepsDone: trainer.stepsDone,
      checkpoint: run?.lastCheckpoint?.path ?? null,
    });
  } catch (error) {
    failed = { error };
    throw error;
  } finally {
    await end(run, failed);
  }
}

/** Writes what has been recorded. Where the run has failed already its error stays the one that is thrown, and has this one as its cause. */
async function end(run: RunKeeper | undefined, failed: { readonly error: unknown } | null): Promise<void> {
  try {
    await run?.end();
  } catch (error) {
    if (!failed) throw error;
    const first = failed.error;
    if (!(first instanceof Error) || first.cause !== undefined) throw new AggregateError([first, error], String(first));
    first.cause = error;
  }
}

async function* oneEpoch<Batch, Input extends string, Metric extends string>(
  trainer: TrainerOf<Input, Metric>,
  options: FitOptions<Batch, Input, Metric>,
  stop: Interruption,
  ranks: RankTeam | null,
): AsyncGenerator<FitEvent<Metric>, void, undefined> {
  const { stepsPerEpoch, run, checkpointEvery = stepsPerEpoch, checkTensors = false } = options;
  const start = cursorAt(trainer.stepsDone, stepsPerEpoch);
  const { epoch } = start;
  const records = (run?.records ?? []).filter((record) => record.epoch === epoch) as StepRecord<Metric>[];
  const ahead = runsAhead() && !checkTensors && !ranks; // ranks finish a step before they start the next
  /** A step that has been started and whose values have not been seen yet. */
  let pending: StartedStep<Metric> | null = null;
  const finish = async (): Promise<StepEvent<Metric>> => {
    const started = pending as StartedStep<Metric>;
    pending = null;
    const event = await started.values();
    records.push(event);
    await run?.append(event);
    return event;
  };

  let step = start.step;
  let waitingSince = now();
  try {
    for await (const batch of options.batches(start)) {
      const load = now() - waitingSince;
      if (stop.check()) break;
      const next = await startStep(trainer, options, batch, { epoch, step }, load);
      if (pending) {
        const before = finish();
        pending = next;
        yield await announce(options, await before);
      }
      pending = next;
      step++;
      const checkpointIsDue = run !== undefined && trainer.stepsDone % checkpointEvery === 0;
      if (!ahead || step === stepsPerEpoch || checkpointIsDue || stop.asked) {
        yield await announce(options, await finish());
        if (step === stepsPerEpoch) {
          await trainer.checkStep();
          yield await announce(options, summarizeEpoch(records, options.imagesPerStep));
        }
        if (checkpointIsDue) yield await checkpoint(trainer, options, run);
      }
      await nextTask();
      if (step === stepsPerEpoch || stop.asked) break;
      waitingSince = now();
    }
    if (pending) yield await announce(options, await finish());
  } finally {
    // left early: what has been started is part of the state, so its values belong to the record
    if (pending) await finish().catch(() => {});
  }
  if (step === stepsPerEpoch || stop.asked || stop.check()) return; // the data may listen to the signal too
  throw argumentError({
    fn: 'Trainer.fit',
    argument: 'batches',
    required: `give ${stepsPerEpoch - start.step} batches from step ${start.step} of epoch ${epoch}`,
    got: step - start.step,
    advice: 'Correct stepsPerEpoch, or let the data set drop its last incomplete batch.',
  });
}

/**
 * Lets signals, timers and reads in: on an engine that computes on this thread a step awaits nothing but microtasks, and Ctrl-C
 * would wait for the end of the epoch.
 */
const nextTask = (): Promise<void> =>
  new Promise((resolve) => (typeof setImmediate === 'function' ? setImmediate(resolve) : setTimeout(resolve)));

/** A step that the engine works on. */
interface StartedStep<Metric extends string> {
  /** Waits for the step and frees its inputs. */
  values(): Promise<StepEvent<Metric>>;
}

/**
 * Starts a step. On an engine that runs ahead it returns before the step is done; its seconds are those in which this thread worked on the
 * step or waited for it, so that all seconds together are the time that passed.
 */
async function startStep<Batch, Input extends string, Metric extends string>(
  trainer: TrainerOf<Input, Metric>,
  { inputs: toInputs, imagesPerStep, checkTensors = false }: FitOptions<Batch, Input, Metric>,
  batch: Batch,
  cursor: Cursor,
  load: number,
): Promise<StartedStep<Metric>> {
  const tensorsBefore = tf.memory().numTensors;
  const prepareFrom = now();
  const inputs = await toInputs(batch, cursor);
  const stepFrom = now();
  const result = trainer.step(inputs);
  result.catch(() => {}); // it is reported by values()
  const starting = now() - stepFrom;
  return {
    async values() {
      const waitFrom = now();
      try {
        const values = await result;
        const seconds = { load, prepare: stepFrom - prepareFrom, step: starting + now() - waitFrom };
        const imagesPerSecond = imagesPerStep / (seconds.load + seconds.prepare + seconds.step);
        tf.dispose(inputs);
        if (checkTensors) checkTensorCount(values.step, tensorsBefore);
        return { type: 'step', epoch: cursor.epoch, ...values, seconds, imagesPerSecond };
      } finally {
        tf.dispose(inputs);
      }
    },
  };
}

async function checkpoint<Batch, Input extends string, Metric extends string>(
  trainer: TrainerOf<Input, Metric>,
  options: FitOptions<Batch, Input, Metric>,
  run: RunKeeper,
): Promise<CheckpointEvent> {
  const from = now();
  const { stepsPerEpoch } = options;
  const cursor = cursorAt(trainer.stepsDone, stepsPerEpoch);
  const { stepsDone, path } = await run.saveCheckpoint(await trainer.snapshot(), cursor);
  return announce(options, { type: 'checkpoint', stepsDone, path, seconds: now() - from });
}

function checkTensorCount(step: number, before: number): void {
  const { numTensors } = tf.memory();
  if (numTensors === before) return;
  throw new Error(
    `Trainer.fit: step ${step} must leave ${before} tensors alive, as many as before it, got ${numTensors}. ` +
      'Dispose every tensor that `inputs` and `loss` make and do not return.',
  );
}

async function announce<Event extends FitEvent<Metric>, Batch, Input extends string, Metric extends string>(
  { on }: FitOptions<Batch, Input, Metric>,
  event: Event,
): Promise<Event> {
  await (on?.[event.type] as ((event: Event) => void | Promise<void>) | undefined)?.(event);
  return event;
}

function cursorAt(stepsDone: number, stepsPerEpoch: number): Cursor {
  return { epoch: Math.floor(stepsDone / stepsPerEpoch), step: stepsDone % stepsPerEpoch };
}

function checkCounts(counts: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(counts)) {
    checkNumber('Trainer.fit', name, value, { min: 1, integer: true }, 'It is a whole number of them.');
  }
}

/**
 * Runs a training to its end, for callers that only use the callbacks (`on`).
 *
 * @param events - what {@link Trainer.fit} returned.
 * @returns the last event: `end` or `interrupted`.
 * @example
 * ```ts
 * import { type FitEvent, lastEvent } from '@tfjs-ssl/trainer';
 *
 * async function finish(events: AsyncIterable<FitEvent>): Promise<void> {
 *   const { type, stepsDone } = await lastEvent(events); // of trainer.fit({ ..., on: { epoch: (event) => ... } })
 *   console.log(type, stepsDone);
 * }
 * ```
 */
export async function lastEvent<Metric extends string>(events: AsyncIterable<FitEvent<Metric>>): Promise<EndEvent> {
  let last: FitEvent<Metric> | undefined;
  for await (const event of events) last = event;
  return last as EndEvent;
}
