import { argumentError } from '@tfjs-ssl/checks';
import { fileError, writeFilesAtomically } from '@tfjs-ssl/files';
import type { StepRecord } from '../events.ts';
import * as node from './node.ts';
import { Turns } from './turns.ts';

const { open, readFile, stat, truncate } = node.files;

/** Records that are kept back before they are written. */
const bufferedRecords = 50;

/**
 * The values of every step as JSON lines, each step once and in order.
 *
 * Lines are written in batches; {@link MetricsLog.flush} writes all of them to disk. After a kill the file may end in
 * half a line and hold steps after the last checkpoint; {@link MetricsLog.rewind} removes both.
 *
 * @example
 * ```ts
 * import { MetricsLog } from '@tfjs-ssl/trainer';
 *
 * const log = await MetricsLog.open('metrics.jsonl');
 * await log.rewind(0);
 * const seconds = { load: 0, prepare: 0, step: 0.1 };
 * await log.append({ step: 0, epoch: 0, loss: 4.1, metrics: {}, learningRate: 0.001, seconds, imagesPerSecond: 320 });
 * await log.flush();
 * ```
 */
export class MetricsLog {
  readonly path: string;
  readonly #records: StepRecord[];
  #pending: string[] = [];
  #bytes: number;
  #next: number;
  readonly #damagedLine: number | null;
  readonly #turns: Turns = new Turns();

  private constructor(path: string, records: StepRecord[], bytes: number, damagedLine: number | null) {
    this.path = path;
    this.#records = records;
    this.#bytes = bytes;
    this.#next = (records.at(-1)?.step ?? -1) + 1;
    this.#damagedLine = damagedLine;
  }

  /** An empty log; the file is made with the first record. */
  static create(path: string): MetricsLog {
    return new MetricsLog(path, [], 0, null);
  }

  /**
   * Reads a log up to its first line that is not the next step's record, half a line for example; a missing file is an empty log.
   * Call {@link MetricsLog.rewind} before the first record is added.
   */
  static async open(path: string): Promise<MetricsLog> {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw fileError('read', path, error);
    });
    const lines = text.split('\n');
    const records: StepRecord[] = [];
    let bytes = 0;
    for (const line of lines.slice(0, -1)) {
      const record = parse(line);
      if (!record || record.step !== (records.at(-1)?.step ?? record.step - 1) + 1) break;
      records.push(record);
      bytes += Buffer.byteLength(line) + 1;
    }
    const whole = records.length === lines.length - 1 && lines.at(-1) === '';
    return new MetricsLog(path, records, bytes, whole ? null : records.length + 1);
  }

  /** All records, those not yet written included. */
  get records(): readonly StepRecord[] {
    return this.#records;
  }

  /** The step that the next record must have. */
  get next(): number {
    return this.#next;
  }

  /**
   * Adds the record of the next step.
   *
   * @throws RangeError if it is of another step; Error if the file cannot be written.
   */
  async append(record: StepRecord): Promise<void> {
    if (record.step !== this.#next) {
      throw argumentError({
        fn: 'MetricsLog',
        argument: 'step',
        required: `be ${this.#next}, the next one`,
        got: record.step,
        advice: 'Record each step once.',
      });
    }
    const { step, epoch, loss, metrics, learningRate, lossScale, skipped, seconds, imagesPerSecond } = record;
    const scaling = {
      ...(lossScale === undefined ? {} : { lossScale }),
      ...(skipped === undefined ? {} : { skipped }),
    };
    const line = { step, epoch, loss, metrics, learningRate, ...scaling, seconds, imagesPerSecond };
    this.#records.push(line);
    this.#next++;
    this.#pending.push(`${JSON.stringify(line)}\n`);
    if (this.#pending.length >= bufferedRecords) await this.flush();
  }

  /**
   * Writes and syncs all records so far.
   *
   * @throws Error if the disk is full or the file cannot be written; what it held before stays, and a later flush tries again.
   */
  flush(): Promise<void> {
    return this.#turns.take(() => this.#write());
  }

  async #write(): Promise<void> {
    const count = this.#pending.length;
    if (count === 0) return;
    const text = this.#pending.join('');
    try {
      const file = await open(this.path, 'a');
      try {
        await file.appendFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (error) {
      // half of the text may be there; if it cannot be taken back, the next open drops its half line
      await truncate(this.path, this.#bytes).catch(() => {});
      throw fileError('write', this.path, error);
    }
    this.#bytes += Buffer.byteLength(text);
    this.#pending.splice(0, count);
  }

  /**
   * Drops the records of a step and all after it, in the file too; the file is replaced in one piece.
   *
   * @param step - the step that is to be recorded next.
   * @throws Error if the log lacks steps before it.
   */
  rewind(step: number): Promise<void> {
    return this.#turns.take(() => this.#rewind(step));
  }

  /** Whether the file is unchanged since this log wrote it; false if another process has written to it. */
  async isCurrent(): Promise<boolean> {
    const size = await stat(this.path).then(
      ({ size }) => size,
      (error: NodeJS.ErrnoException) =>
        error.code === 'ENOENT' ? 0 : Promise.reject(fileError('read', this.path, error)),
    );
    return size === this.#bytes;
  }

  async #rewind(step: number): Promise<void> {
    if (this.#next < step && (this.#records.length > 0 || this.#damagedLine !== null)) {
      throw new Error(
        `MetricsLog: ${this.path} must hold all steps before ${step}, got only those before ${this.#next}` +
          `${this.#damagedLine === null ? '' : `: line ${this.#damagedLine} is damaged`}. ` +
          'Move the file away to continue without the earlier metrics.',
      );
    }
    const kept = this.#records.filter((record) => record.step < step);
    const text = kept.map((record) => `${JSON.stringify(record)}\n`).join('');
    await writeFilesAtomically([{ path: this.path, data: text }]);
    this.#records.splice(0, Number.POSITIVE_INFINITY, ...kept);
    this.#pending = [];
    this.#bytes = Buffer.byteLength(text);
    this.#next = step;
  }
}

function parse(line: string): StepRecord | undefined {
  try {
    const record = JSON.parse(line);
    return Number.isSafeInteger(record?.step) && Number.isSafeInteger(record.epoch) ? record : undefined;
  } catch {
    return undefined;
  }
}
