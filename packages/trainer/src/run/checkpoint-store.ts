import { checkNumber } from '@tfjs-ssl/checks';
import { fileError, nameToCome, removeAbandoned, writeFilesAtomically } from '@tfjs-ssl/files';
import { decodeSafetensors, encodeSafetensors } from '@tfjs-ssl/safetensors';
import type { TrainerState } from '../trainer-state.ts';
import { type CheckpointManifest, decodeManifest, encodeManifest, sha256 } from './checkpoint-manifest.ts';
import * as node from './node.ts';
import { Turns } from './turns.ts';

const { mkdir, readdir, readFile, rm } = node.files;
const { join } = node.path;

/** A checkpoint that was read and is complete. */
export interface Checkpoint {
  /** The safetensors file. */
  readonly path: string;
  readonly manifest: CheckpointManifest;
  readonly state: TrainerState;
}

/** A checkpoint that was refused. */
export interface RejectedCheckpoint {
  /** The safetensors file. */
  readonly path: string;
  readonly reason: string;
}

/** What {@link CheckpointStore.newest} found. */
export interface NewestCheckpoint {
  /** Null if none has been completed yet. */
  readonly checkpoint: Checkpoint | null;
  /** Newer ones that were refused, newest first. */
  readonly rejected: readonly RejectedCheckpoint[];
}

const baseName = (step: number): string => `step-${String(step).padStart(8, '0')}`;
const filePattern = /^step-(\d+)\.(?:safetensors|json)$/;

/**
 * The checkpoints of a run: pairs `step-00000390.safetensors` and `.json` in one folder, the last good ones kept.
 *
 * Both files are written and synced under temporary names. The JSON, which holds the size and SHA-256 of the tensors, gets its final
 * name last. A kill at any moment therefore leaves the earlier checkpoints intact, and the new one complete or recognisably unfinished.
 *
 * @example
 * ```ts
 * import { CheckpointStore } from '@tfjs-ssl/trainer';
 *
 * const store = new CheckpointStore('runs/by-hand/checkpoints', { keep: 2 });
 * const weight = { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) } as const;
 * const about = { cursor: { epoch: 0, step: 10 }, seed: 1, config: {} };
 * await store.save({ step: 10, tensors: { 'model.weight': weight } }, about);
 * const { checkpoint, rejected } = await store.newest(() => {});
 * console.log(checkpoint?.state.step, rejected); // 10 []
 * ```
 */
export class CheckpointStore {
  readonly folder: string;
  readonly #keep: number;
  readonly #turns: Turns = new Turns();

  /**
   * @param folder - made with the first checkpoint.
   * @param options - `keep`: how many to keep. Default: 3.
   */
  constructor(folder: string, options: { keep?: number } = {}) {
    const { keep = 3 } = options;
    checkNumber('CheckpointStore', 'keep', keep, { min: 1, integer: true }, 'Leave it out for 3.');
    this.folder = folder;
    this.#keep = keep;
  }

  /**
   * Writes a checkpoint, then removes those that are too old, or newer and thus of a future that was given up.
   *
   * @param state - the trainer's.
   * @param about - cursor, seed and configuration.
   * @returns the path of the safetensors file.
   * @throws Error if it cannot be written; the earlier checkpoints stay intact.
   */
  save(state: TrainerState, about: Pick<CheckpointManifest, 'cursor' | 'seed' | 'config'>): Promise<string> {
    return this.#turns.take(() => this.#save(state, about));
  }

  async #save(state: TrainerState, about: Pick<CheckpointManifest, 'cursor' | 'seed' | 'config'>): Promise<string> {
    const { step, tensors } = state;
    const file = `${baseName(step)}.safetensors`;
    const path = join(this.folder, file);
    const data = encodeSafetensors(tensors, { step: String(step), layout: 'tfjs' });
    const { cursor, seed, config } = about;
    const described = { file, bytes: data.length, sha256: sha256(data) };
    const json = encodeManifest({ step, cursor, seed, config, tensors: described });
    try {
      await mkdir(this.folder, { recursive: true });
    } catch (error) {
      throw fileError('make', this.folder, error);
    }
    await writeFilesAtomically([
      { path, data },
      { path: join(this.folder, `${baseName(step)}.json`), data: json },
    ]);
    await this.#prune(step);
    return path;
  }

  /**
   * Finds the newest checkpoint that is whole.
   *
   * @param use - takes the state over; what it throws refuses the checkpoint, and the one before is tried.
   * @returns the checkpoint, or null if none was ever completed, and those that were refused on the way.
   * @throws Error if there are checkpoints and none can be used, with the reason of each.
   */
  async newest(use: (checkpoint: Checkpoint) => void): Promise<NewestCheckpoint> {
    const files = await this.#files();
    const rejected: RejectedCheckpoint[] = [];
    let unfinished = 0;
    for (const step of stepsOf(files).reverse()) {
      const path = join(this.folder, `${baseName(step)}.safetensors`);
      if (isUnfinished(files, baseName(step))) {
        rejected.push({ path, reason: 'it was not written completely' });
        unfinished++;
        continue;
      }
      try {
        const checkpoint = await read(path, step);
        use(checkpoint);
        return { checkpoint, rejected };
      } catch (error) {
        rejected.push({ path, reason: (error as Error).message });
      }
    }
    if (rejected.length > unfinished) {
      const reasons = rejected.map(({ path, reason }) => `  ${path}: ${reason}`).join('\n');
      throw new Error(
        `CheckpointStore: none of the checkpoints can be used. Start a new run in another folder.\n${reasons}`,
      );
    }
    return { checkpoint: null, rejected };
  }

  async #files(): Promise<string[]> {
    try {
      return await readdir(this.folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw fileError('read', this.folder, error);
    }
  }

  async #prune(newest: number): Promise<void> {
    const files = await this.#files();
    const kept = stepsOf(files)
      .filter((step) => step <= newest && files.includes(`${baseName(step)}.json`))
      .slice(-this.#keep);
    const stale = files.filter((name) => {
      const step = filePattern.exec(name)?.[1];
      return step !== undefined && !kept.includes(Number(step));
    });
    // the JSON first: a kill in between leaves no pair that looks whole
    for (const name of stale.sort()) await rm(join(this.folder, name), { force: true });
    await removeAbandoned(join(this.folder, `${baseName(newest)}.json`), (name) => filePattern.test(name));
  }
}

function stepsOf(files: readonly string[]): number[] {
  const steps = files
    .map((name) => filePattern.exec(nameToCome(name) ?? name)?.[1])
    .filter((step) => step !== undefined);
  return [...new Set(steps.map(Number))].sort((a, b) => a - b);
}

/** A kill before the JSON took its name leaves the tensors under a temporary name, or the JSON. */
function isUnfinished(files: readonly string[], base: string): boolean {
  const tensorsArrived = files.includes(`${base}.safetensors`);
  return (
    !files.includes(`${base}.json`) && (!tensorsArrived || files.some((name) => nameToCome(name) === `${base}.json`))
  );
}

async function read(path: string, step: number): Promise<Checkpoint> {
  const manifest = decodeManifest(await readOrSay(path.replace(/safetensors$/, 'json'), 'its JSON'));
  if (manifest.step !== step) throw new Error(`its JSON belongs to step ${manifest.step}`);
  const bytes = await readOrSay(path, 'its safetensors file', null);
  const { tensors } = manifest;
  if (bytes.length !== tensors.bytes) throw new Error(`it has ${bytes.length} bytes instead of ${tensors.bytes}`);
  if (sha256(bytes) !== tensors.sha256) throw new Error('its data are damaged: the SHA-256 does not match');
  return { path, manifest, state: { step, tensors: decodeSafetensors(bytes).tensors } };
}

async function readOrSay(path: string, what: string): Promise<string>;
async function readOrSay(path: string, what: string, encoding: null): Promise<Uint8Array>;
async function readOrSay(path: string, what: string, encoding: 'utf8' | null = 'utf8'): Promise<string | Uint8Array> {
  try {
    return await readFile(path, encoding);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new Error(`${what} is missing`);
    throw fileError('read', path, error);
  }
}
