import { argumentError } from '@tfjs-ssl/checks';
import { type FileLock, writeFilesAtomically } from '@tfjs-ssl/files';
import type { Cursor, StepRecord } from '../events.ts';
import type { KeptCheckpoint, RunKeeper } from '../run-keeper.ts';
import type { TrainerState } from '../trainer-state.ts';
import { CheckpointStore, type RejectedCheckpoint } from './checkpoint-store.ts';
import { formatDifferences } from './config-differences.ts';
import { MetricsLog } from './metrics-log.ts';
import * as node from './node.ts';
import { createConfig, differencesBut, type RunConfig, readConfig, resumeConfig, toJson } from './run-config.ts';
import { lockRun } from './run-lock.ts';
import { TensorBoardLog } from './tensorboard/tensorboard-log.ts';

const { join } = node.path;

/** Options of a {@link RunFolder}. They do not affect the numbers of the run. */
export interface RunFolderOptions {
  /** Checkpoints to keep. Default: 3. */
  readonly keep?: number;
}

/** What {@link RunFolder.restore} found. */
export interface Restored {
  /** Index of the step that comes next; 0 if there was no complete checkpoint. */
  readonly step: number;
  /** The safetensors file; null if the run starts from the beginning. */
  readonly path: string | null;
  /** Newer checkpoints that were refused, newest first; print them. */
  readonly rejected: readonly RejectedCheckpoint[];
}

/** What `RunFolder` needs of a trainer to put it back where it was. */
export interface Restorable {
  /** Goes back to a state, see `Trainer.restore`. */
  restore(state: TrainerState): void;
}

/**
 * Keeps everything of a run in one folder: `config.json`, `metrics.jsonl`, `summary.json`, `checkpoints/`, event files for
 * TensorBoard and, if you save the model there, `model.safetensors`.
 *
 * Every file is replaced in one piece. Metrics are only appended, and are on disk before the checkpoint that relies on them.
 *
 * A run has one writer at a time. `create`, `restore` and `Trainer.fit` hold the folder's `run.lock` while they work, and throw if another
 * process or thread holds it, on this host or any other. If a process is killed, its lock expires: at once on its own host, after a minute on
 * others.
 *
 * @example
 * ```ts
 * import { RunFolder } from '@tfjs-ssl/trainer';
 *
 * const run = await RunFolder.create(`runs/${Date.now()}`, { seed: 1, learningRate: 0.001 });
 * console.log(run.modelPath); // give it to trainer.fit({ ..., run }), and later to RunFolder.resume
 * ```
 */
export class RunFolder implements RunKeeper {
  readonly path: string;
  readonly config: RunConfig;
  readonly checkpoints: CheckpointStore;
  #metrics: MetricsLog;
  readonly #events: TensorBoardLog;
  readonly #replaced: readonly string[];
  #cursor: Cursor = { epoch: 0, step: 0 };
  #lastCheckpoint: KeptCheckpoint | null = null;
  #lock: FileLock | null = null;

  private constructor(
    path: string,
    config: RunConfig,
    metrics: MetricsLog,
    options: RunFolderOptions & { readonly replace?: readonly string[] },
  ) {
    const { keep = 3, replace = [] } = options;
    this.path = path;
    this.#replaced = replace;
    this.config = config;
    this.checkpoints = new CheckpointStore(join(path, 'checkpoints'), { keep });
    this.#metrics = metrics;
    this.#events = new TensorBoardLog(path);
  }

  /**
   * Starts a new run: makes the folder and writes `config.json`.
   *
   * @param path - a folder that holds no run; made if it does not exist.
   * @param config - the resolved configuration.
   * @param options - `numbered`: always make a new folder, with `-2`, `-3` and so on appended if the name is taken. Default: false.
   * @throws Error if the folder already holds a run, is a file, or cannot be written; a partly made run is removed.
   */
  static async create<Config extends RunConfig>(
    path: string,
    config: Config,
    options: RunFolderOptions & { readonly numbered?: boolean } = {},
  ): Promise<RunFolder> {
    const { folder, config: kept } = await createConfig(path, config, options.numbered ?? false);
    return new RunFolder(folder, kept, MetricsLog.create(join(folder, 'metrics.jsonl')), options);
  }

  /**
   * Opens a run to continue it; {@link RunFolder.restore} then brings the trainer to the run's position.
   *
   * @param path - its folder.
   * @param config - the configuration to continue with; it must equal the one the run was started with.
   * @param options - `mayDiffer`: dotted names of settings that may differ; the run keeps the saved ones. `replace`: names of settings that may
   * differ and whose new values `config.json` gets, because they do not affect the steps so far: the number of epochs, if the schedule does not
   * depend on it. Checkpoints with other values of these are restored. Default: none.
   * @throws Error if there is no run, another process trains it now, or its configuration differs; the error lists the differences.
   */
  static async resume<Config extends RunConfig>(
    path: string,
    config: Config,
    options: RunFolderOptions & { readonly mayDiffer?: readonly string[]; readonly replace?: readonly string[] } = {},
  ): Promise<RunFolder> {
    const kept = await resumeConfig(path, config, options);
    return new RunFolder(path, kept, await MetricsLog.open(join(path, 'metrics.jsonl')), options);
  }

  /**
   * Opens a run to look at it: its configuration and metrics as they are on disk, even while it is trained.
   *
   * @param path - its folder.
   * @throws Error if there is no run, or its configuration is damaged.
   */
  static async open(path: string): Promise<RunFolder> {
    return new RunFolder(path, await readConfig(path), await MetricsLog.open(join(path, 'metrics.jsonl')), {});
  }

  /** Path for the trained model. */
  get modelPath(): string {
    return join(this.path, 'model.safetensors');
  }

  /** The values of all steps so far, in order. */
  get records(): readonly StepRecord[] {
    return this.#metrics.records;
  }

  /** The checkpoint that was written or restored last. */
  get lastCheckpoint(): KeptCheckpoint | null {
    return this.#lastCheckpoint;
  }

  /**
   * Restores the last good checkpoint into a trainer, and removes the metrics of later steps.
   *
   * @param trainer - a new trainer; it stays at its start if there is no complete checkpoint.
   * @throws Error if there are checkpoints but none can be used.
   */
  async restore(trainer: Restorable): Promise<Restored> {
    return this.#alone(async () => {
      const { checkpoint, rejected } = await this.checkpoints.newest(({ manifest, state }) => {
        const differences = differencesBut(this.#replaced, this.config, manifest.config);
        if (differences.length > 0) {
          throw new Error(`it belongs to a run with another configuration: ${formatDifferences(differences).trim()}`);
        }
        trainer.restore(state);
      });
      const step = checkpoint?.state.step ?? 0;
      this.#metrics = await MetricsLog.open(this.#metrics.path); // another may have trained since this was opened
      await this.#metrics.rewind(step);
      await this.#events.rewind(step);
      if (checkpoint) {
        this.#cursor = checkpoint.manifest.cursor;
        this.#lastCheckpoint = { stepsDone: step, path: checkpoint.path };
      }
      return { step, path: checkpoint?.path ?? null, rejected };
    });
  }

  /**
   * Reserves the run for one training, until {@link RunFolder.end}; the loop calls both.
   *
   * @throws RangeError if the trainer's position differs from the run's: the run was not restored, or the data has another length than before.
   * @throws Error if another training holds the run, or has trained it since this object was opened.
   */
  async begin({ stepsDone, cursor }: { readonly stepsDone: number; readonly cursor: Cursor }): Promise<void> {
    this.#checkPosition(stepsDone, cursor);
    const lock = await lockRun(this.path);
    if (await this.#metrics.isCurrent()) {
      this.#lock = lock;
      return;
    }
    await lock.release();
    throw new Error(
      `RunFolder: the run in ${this.path} must be as this object left it, got metrics that another process or object wrote since. ` +
        'Open it again with `RunFolder.resume`, and restore a new trainer.',
    );
  }

  /** Writes everything to disk and releases the run. */
  async end(): Promise<void> {
    const lock = this.#lock;
    try {
      await lock?.check();
      await this.flush();
    } finally {
      this.#lock = null;
      await lock?.release();
    }
  }

  async #alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const lock = await lockRun(this.path);
    try {
      return await work();
    } finally {
      await lock.release();
    }
  }

  #checkPosition(stepsDone: number, cursor: Cursor): void {
    const next = this.#metrics.next;
    if (stepsDone !== next) {
      throw argumentError({
        fn: 'RunFolder',
        argument: 'trainer',
        required: `stand at step ${next}, where the run in ${this.path} stands`,
        got: stepsDone,
        shown: `step ${stepsDone}`,
        advice: 'Call `await run.restore(trainer)` first.',
      });
    }
    if (this.#lastCheckpoint?.stepsDone !== stepsDone) return;
    if (cursor.epoch !== this.#cursor.epoch || cursor.step !== this.#cursor.step) {
      throw argumentError({
        fn: 'RunFolder',
        argument: 'cursor',
        required: `be step ${this.#cursor.step} of epoch ${this.#cursor.epoch} at step ${stepsDone}, as before`,
        got: cursor,
        shown: `step ${cursor.step} of epoch ${cursor.epoch}`,
        advice: 'The number of steps per epoch has changed: use the same images and batch size.',
      });
    }
  }

  /** Adds the values of a step to `metrics.jsonl` and to TensorBoard's events. They go to disk in batches. */
  async append(record: StepRecord): Promise<void> {
    if (this.#lock?.lost) await this.#lock.check();
    await this.#metrics.append(record);
    await this.#events.add(record.step, scalarsOf(record));
  }

  /**
   * Adds other values to TensorBoard's events, for example those of an evaluation.
   *
   * @param step - steps done so far; a resume from an earlier checkpoint removes the values.
   * @param scalars - numbers by tag, for example `{ 'evaluation/knn': 0.4 }`.
   */
  async addScalars(step: number, scalars: Readonly<Record<string, number>>): Promise<void> {
    await this.#events.add(step, scalars);
    await this.#events.flush();
  }

  /** Writes all metrics to disk. */
  async flush(): Promise<void> {
    await this.#metrics.flush();
    await this.#events.flush();
  }

  /**
   * Writes the metrics of the steps so far, then a checkpoint.
   *
   * @param state - the trainer's.
   * @param cursor - the batch that comes next.
   * @returns the steps it holds and its safetensors file.
   * @throws Error if it cannot be written; the earlier checkpoints stay intact.
   */
  async saveCheckpoint(state: TrainerState, cursor: Cursor): Promise<KeptCheckpoint> {
    await this.#lock?.check();
    await this.#metrics.flush();
    const { config } = this;
    const path = await this.checkpoints.save(state, { cursor, seed: config.seed, config });
    this.#cursor = cursor;
    this.#lastCheckpoint = { stepsDone: state.step, path };
    await this.#events.flush();
    return this.#lastCheckpoint;
  }

  /**
   * Writes `summary.json`.
   *
   * @param summary - an object fit for JSON.
   */
  async saveSummary(summary: object): Promise<void> {
    await this.saveFile('summary.json', toJson(summary));
  }

  /**
   * Writes another file of the run in one piece; replaces it if it exists.
   *
   * @param name - its name in the folder.
   * @throws Error if it cannot be written; the earlier file stays.
   */
  async saveFile(name: string, data: string | Uint8Array): Promise<void> {
    await writeFilesAtomically([{ path: join(this.path, name), data }]);
  }
}

/** The values of a step by their tags in TensorBoard. */
function scalarsOf({
  loss,
  metrics,
  learningRate,
  lossScale,
  skipped,
  imagesPerSecond,
}: StepRecord): Record<string, number> {
  const scaling = lossScale === undefined ? {} : { loss_scale: lossScale, skipped: skipped ? 1 : 0 };
  const train = { loss, ...metrics, learning_rate: learningRate, ...scaling };
  const tagged = Object.entries(train).map(([name, value]) => [`train/${name}`, value]);
  return { ...Object.fromEntries(tagged), 'speed/images_per_second': imagesPerSecond };
}
