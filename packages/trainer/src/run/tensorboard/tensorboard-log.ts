import { fileError } from '@tfjs-ssl/files';
import * as node from '../node.ts';
import { type Scalars, scalarsEvent, sessionStartEvent, stepOfEvent, versionEvent } from './event-message.ts';
import { frameRecord, readRecords } from './record-frames.ts';

const { mkdir, open, readdir, readFile, rm, truncate } = node.files;
const { join } = node.path;

/** Events that are kept back before they are written. */
const bufferedEvents = 20;

const prefix = 'events.out.tfevents.';

/** Whether a file of a run folder is one of TensorBoard's. */
export const isEventFile = (name: string): boolean => name.startsWith(prefix);

/**
 * Scalars as event files, for TensorBoard (`tensorboard --logdir FOLDER`) and whatever else reads them.
 *
 * Events are only added, some at a time. A run that goes on writes a file of its own beside the earlier ones, in which
 * {@link TensorBoardLog.rewind} leaves the steps before it: each step is there once.
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
  #pending: Uint8Array[] = [];

  /** @param folder - where the event files are or will be; made with the first of them. */
  constructor(folder: string) {
    this.folder = folder;
  }

  /**
   * Adds values of a step; steps in order.
   *
   * @param step - from 0.
   * @param scalars - numbers by tag; TensorBoard groups tags by what is before their slash.
   * @throws Error where the events gathered so far cannot be written.
   */
  async add(step: number, scalars: Scalars): Promise<void> {
    this.#pending.push(frameRecord(scalarsEvent(Date.now() / 1000, step, scalars)));
    if (this.#pending.length >= bufferedEvents) await this.flush();
  }

  /**
   * Writes all events so far.
   *
   * @throws Error where the disk is full or the file cannot be written; a later flush tries again.
   */
  async flush(): Promise<void> {
    if (this.#pending.length === 0) return;
    const { folder } = this;
    const bytes = Buffer.concat(this.#file ? this.#pending : [...this.#opening(), ...this.#pending]);
    if (!this.#file) {
      await mkdir(folder, { recursive: true }).catch((error) => {
        throw fileError('make the folder', folder, error);
      });
    }
    const file = this.#file ?? { path: join(folder, await this.#newName()), bytes: 0 };
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
    this.#pending = [];
  }

  /**
   * Drops what the folder holds of a step and later ones, and half an event that a kill has left; new events get a new file.
   *
   * @param step - the step that comes next.
   */
  async rewind(step: number): Promise<void> {
    this.#pending = [];
    this.#file = null;
    this.#startStep = step;
    for (const name of await this.#files()) await cut(join(this.folder, name), step);
  }

  #opening(): Uint8Array[] {
    const now = Date.now() / 1000;
    const version = frameRecord(versionEvent(now));
    return this.#startStep === 0 ? [version] : [version, frameRecord(sessionStartEvent(now, this.#startStep))];
  }

  /** Readers take the files of a folder in the order of their names: by time, then by count. */
  async #newName(): Promise<string> {
    const count = (await this.#files()).length;
    return `${prefix}${Math.floor(Date.now() / 1000)}.tfjs-ssl.${String(count).padStart(4, '0')}`;
  }

  async #files(): Promise<string[]> {
    const names = await readdir(this.folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw fileError('read', this.folder, error);
    });
    return names.filter(isEventFile).sort();
  }
}

/** Cuts a file before its first event of the step or a later one; removes it where no step is left. */
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
