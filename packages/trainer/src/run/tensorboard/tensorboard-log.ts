import { fileError } from '@tfjs-ssl/files';
import * as node from '../node.ts';
import { Turns } from '../turns.ts';
import { type Scalars, scalarsEvent, sessionStartEvent, stepOfEvent, versionEvent } from './event-message.ts';
import { frameRecord, readRecords } from './record-frames.ts';

const { mkdir, open, readdir, readFile, rm, truncate } = node.files;
const { join } = node.path;

/** Events that are kept back before they are written. */
const bufferedEvents = 20;

/** Whether an event file of a folder is one of this log's: other programs write theirs beside it. */
export const isOwnEventFile = (name: string): boolean => /^events\.out\.tfevents\.\d+\.tfjs-ssl\.\d+$/.test(name);

/**
 * Scalars as event files, for TensorBoard (`tensorboard --logdir FOLDER`) and whatever else reads them.
 *
 * Events are only added, some at a time. A run that goes on writes a file of its own beside the earlier ones, in which
 * {@link TensorBoardLog.rewind} leaves the steps before it: each step is there once. Event files of other programs stay as they are.
 *
 * @example
 * ```ts
 * import { TensorBoardLog } from '@tfjs-ssl/trainer';
 *
 * const log = new TensorBoardLog(`runs/tensorboard-${Date.now()}`);
 * for (let step = 0; step < 3; step++) await log.add(step, { 'train/loss': 1 / (step + 1) });
 * await log.flush();
 * ```
 */
export class TensorBoardLog {
  readonly folder: string;
  #file: { readonly path: string; bytes: number } | null = null;
  #startStep = 0;
  readonly #pending: Uint8Array[] = [];
  readonly #turns: Turns = new Turns();

  /** @param folder - where the event files are or will be; made with the first of them. */
  constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * Adds values of a step; steps in order.
   *
   * @param step - from 0.
   * @param scalars - numbers by tag; TensorBoard groups tags by what is before their slash.
   * @throws Error if the events gathered so far cannot be written.
   */
  async add(step: number, scalars: Scalars): Promise<void> {
    this.#pending.push(frameRecord(scalarsEvent(Date.now() / 1000, step, scalars)));
    if (this.#pending.length >= bufferedEvents) await this.flush();
  }

  /**
   * Writes all events so far.
   *
   * @throws Error if the disk is full or the file cannot be written; a later flush tries again.
   */
  flush(): Promise<void> {
    return this.#turns.take(() => this.#write());
  }

  async #write(): Promise<void> {
    const count = this.#pending.length;
    if (count === 0) return;
    const { folder } = this;
    const bytes = Buffer.concat(this.#file ? this.#pending : [...this.#opening(), ...this.#pending]);
    if (!this.#file) {
      await mkdir(folder, { recursive: true }).catch((error) => {
        throw fileError('make the folder', folder, error);
      });
    }
    const file = this.#file ?? { path: await this.#newFile(), bytes: 0 };
    try {
      const handle = await open(file.path, 'a');
      try {
        await handle.appendFile(bytes);
      } finally {
        await handle.close();
      }
    } catch (error) {
      await truncate(file.path, file.bytes).catch(() => {});
      throw fileError('write', file.path, error);
    }
    file.bytes += bytes.length;
    this.#file = file;
    this.#pending.splice(0, count);
  }

  /**
   * Drops what the folder holds of a step and later ones, and half an event that a kill has left; new events get a new file.
   *
   * @param step - the step that comes next.
   */
  rewind(step: number): Promise<void> {
    return this.#turns.take(async () => {
      this.#pending.splice(0);
      this.#file = null;
      this.#startStep = step;
      for (const name of await this.#files()) await cut(join(this.folder, name), step);
    });
  }

  #opening(): Uint8Array[] {
    const now = Date.now() / 1000;
    const version = frameRecord(versionEvent(now));
    return this.#startStep === 0 ? [version] : [version, frameRecord(sessionStartEvent(now, this.#startStep))];
  }

  /** Readers take the files of a folder in the order of their names: by time, then by count. */
  async #newFile(): Promise<string> {
    const seconds = Math.floor(Date.now() / 1000);
    for (let count = (await this.#files()).length; ; count++) {
      const name = `events.out.tfevents.${seconds}.tfjs-ssl.${String(count).padStart(4, '0')}`;
      const path = join(this.folder, name);
      try {
        await (await open(path, 'wx')).close(); // two logs of one folder get a file each
        return path;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw fileError('write', path, error);
      }
    }
  }

  async #files(): Promise<string[]> {
    const names = await readdir(this.folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw fileError('read', this.folder, error);
    });
    return names.filter(isOwnEventFile).sort();
  }
}

/** Cuts a file before its first event of the step or a later one; removes it if no step is left. */
async function cut(path: string, step: number): Promise<void> {
  try {
    const file = await readFile(path);
    const { records, end } = readRecords(file);
    const steps = records.map(({ content }) => stepOfEvent(content));
    const first = steps.findIndex((of) => of !== null && of >= step);
    const length = records[first]?.offset ?? end;
    if (steps.slice(0, first < 0 ? undefined : first).every((of) => of === null)) await rm(path);
    else if (length < file.length) await truncate(path, length);
  } catch (error) {
    throw fileError('take later steps out of', path, error);
  }
}
