import { fileError } from './file-error.ts';
import { neededNodeModule } from './node-module.ts';
import { hasEnded, type Owner, thisOwner } from './owner.ts';
import { nameToCome, temporaryName } from './temporary-files.ts';

const need = 'FileLock: locks need Node, which is missing. Run this in Node.';
const { randomBytes } = neededNodeModule('node:crypto', need);
const { readFileSync, rmSync } = neededNodeModule('node:fs', need);
const { open, readdir, rename, rm } = neededNodeModule('node:fs/promises', need);
const { basename, dirname, join } = neededNodeModule('node:path', need);

/** Milliseconds between the signs of life of a lock. */
const beat = 5_000;
/** Milliseconds without a sign after which a lock of a process that cannot be asked counts for nothing. */
const silence = 60_000;

/** What a lock file says. */
interface Claim extends Owner {
  /** Of this claim alone. */
  readonly token: string;
  /** When it was made, ISO 8601. */
  readonly since: string;
}

/** A lock file as it was found. */
interface Found {
  readonly token: string;
  /** Null if the file does not say: it is being written, or something else wrote it. */
  readonly claim: Claim | null;
  /** Its last sign of life, milliseconds by the clock of the file system. */
  readonly sign: number;
}

/**
 * A lock among threads, processes and hosts: a file that says who holds it, and is written again every five seconds.
 *
 * It counts for nothing when its process has ended. A process of this host is asked whether it runs; of one on another host the signs of life
 * count, by the clock of the file system: none for a minute, and the lock is free. So a holder that was halted for longer may have lost
 * it; {@link FileLock.check} says so.
 *
 * @example
 * ```ts
 * import { tmpdir } from 'node:os';
 * import { FileLock } from '@tfjs-ssl/files';
 *
 * const lock = await FileLock.take(`${tmpdir()}/example.lock`, 'example: the folder');
 * await lock.release(); // as the end of the process does
 * ```
 */
export class FileLock {
  readonly path: string;
  readonly #what: string;
  readonly #claim: Claim;
  readonly #timer: ReturnType<typeof setInterval>;
  #beating: Promise<void> = Promise.resolve();
  #lost = false;

  private constructor(path: string, what: string, claim: Claim) {
    this.path = path;
    this.#what = what;
    this.#claim = claim;
    this.#timer = setInterval(() => {
      this.#beating = this.#beat();
    }, beat);
    this.#timer.unref();
    releaseAtExit(path, claim.token);
  }

  /**
   * Takes a lock.
   *
   * @param path - of the lock file, in a folder that exists; one lock has one path.
   * @param what - begins the messages: who asks, and what the lock is for.
   * @throws Error if somebody else holds the lock; it names the host, the process and the time, and says what to do. Error if the file cannot be written.
   */
  static async take(path: string, what: string): Promise<FileLock> {
    const claim = { ...thisOwner(), token: randomBytes(8).toString('hex'), since: new Date().toISOString() };
    try {
      await put(path, claim, what);
      await removeGuards(path);
    } catch (error) {
      throw error instanceof Error && 'code' in error ? fileError('write', path, error) : error;
    }
    return new FileLock(path, what, claim);
  }

  /**
   * Asserts that nobody holds a lock, without taking it.
   *
   * @throws Error as {@link FileLock.take}.
   */
  static async checkFree(path: string, what: string): Promise<void> {
    const found = await settled(path);
    if (found && (await isAlive(found, path))) throw heldError(found, what);
  }

  /** Whether another was seen to have taken the lock, as {@link FileLock.check} finds out and each sign of life. */
  get lost(): boolean {
    return this.#lost;
  }

  /**
   * Asserts that this still holds the lock.
   *
   * @throws Error if it gave no sign of life for so long that another has taken it, or the file was removed.
   */
  async check(): Promise<void> {
    if (!this.#lost) this.#lost = (await look(this.path))?.token !== this.#claim.token;
    if (!this.#lost) return;
    throw new Error(
      `${this.#what} must stay with the process that writes it, got its lock ${this.path} removed or taken by another process: ` +
        `this process was halted for more than ${silence / 1000} s, or somebody deleted the file. Stop here; what was saved before is intact.`,
    );
  }

  /** Releases the lock. Does nothing if the lock was lost or released already. */
  async release(): Promise<void> {
    clearInterval(this.#timer);
    await this.#beating;
    const { token } = this.#claim;
    held.delete(token);
    if ((await look(this.path).catch(() => null))?.token === token) await rm(this.path, { force: true });
  }

  /** Writes the file again, as it is: its time, set by the file system, is the sign of life. */
  async #beat(): Promise<void> {
    try {
      const file = await open(this.path, 'r+');
      try {
        const text = await file.readFile('utf8');
        if (parse(text)?.token !== this.#claim.token) this.#lost = true;
        else await file.write(text, 0);
      } finally {
        await file.close();
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') this.#lost = true; // anything else may pass
    }
  }
}

/**
 * Puts a claim in place. A dead claim is replaced by whoever gets the lock named after it: only one does, and no claim's name comes twice,
 * so a claim that came in between is never taken for the dead one.
 */
async function put(path: string, claim: Claim, what: string): Promise<void> {
  while (!(await create(path, claim))) {
    const found = await settled(path);
    if (!found) continue; // given back meanwhile
    if (await isAlive(found, path)) throw heldError(found, what);
    const guard = `${path}.${found.token}`;
    await put(guard, claim, what);
    if ((await look(path))?.token === found.token) {
      const error: NodeJS.ErrnoException | null = await rename(guard, path).then(
        () => null,
        (error) => error,
      );
      if (error === null) return;
      if (error.code !== 'ENOENT') throw error;
    } else await rm(guard, { force: true });
  }
}

async function create(path: string, claim: Claim): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(`${JSON.stringify(claim, null, 2)}\n`);
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function look(path: string): Promise<Found | null> {
  try {
    const file = await open(path, 'r');
    try {
      const claim = parse(await file.readFile('utf8'));
      return { claim, token: claim?.token ?? 'unknown', sign: (await file.stat()).mtimeMs };
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Looks until a lock that has just been made says who holds it. */
async function settled(path: string): Promise<Found | null> {
  for (let tries = 0; ; tries++) {
    const found = await look(path);
    if (found === null || found.claim !== null || tries === 20) return found;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function parse(text: string): Claim | null {
  try {
    const claim = JSON.parse(text);
    return typeof claim?.token === 'string' && /^[0-9a-f]{16}$/.test(claim.token) ? claim : null;
  } catch {
    return null;
  }
}

async function isAlive({ claim, sign }: Found, path: string): Promise<boolean> {
  const ended = claim === null ? undefined : hasEnded(claim);
  return ended === undefined ? (await fileSystemTime(path)) - sign < silence : !ended;
}

/** Milliseconds by the clock of the file system, from a file that is written beside another. */
async function fileSystemTime(path: string): Promise<number> {
  const probe = temporaryName(path);
  const file = await open(probe, 'wx');
  try {
    await file.writeFile('?');
    return (await file.stat()).mtimeMs;
  } finally {
    await file.close();
    await rm(probe, { force: true });
  }
}

function heldError({ claim }: Found, what: string): Error {
  const ended = claim === null ? undefined : hasEnded(claim);
  const here =
    claim !== null && claim.pid === process.pid && claim.realm === thisOwner().realm ? ' (this process)' : '';
  const holder = claim
    ? `process ${claim.pid}${here} on host ${claim.host}, since ${claim.since}`
    : 'a process that does not say who it is';
  const wait = ended === undefined ? ` If it has ended already, try again in ${silence / 1000} s.` : '';
  return new Error(
    `${what} must have one writer at a time, got a second one beside ${holder}. Wait until it ends, or stop it.${wait}`,
  );
}

/** Removes what killed processes left of taking the lock; whoever is about it now starts again. */
async function removeGuards(path: string): Promise<void> {
  const [folder, own] = [dirname(path), basename(path)];
  const left = (await readdir(folder)).filter((name) => name.startsWith(`${own}.`));
  for (const name of left) {
    const isGuard = /\.([0-9a-f]{16}|unknown)$/.test(name);
    if (isGuard || nameToCome(name) === own) await rm(join(folder, name), { force: true }).catch(() => {});
  }
}

/** Tokens of the locks of this thread with their files. */
const held = new Map<string, string>();
let listening = false;

function releaseAtExit(path: string, token: string): void {
  held.set(token, path);
  if (listening) return;
  listening = true;
  process.on('exit', () => {
    for (const [token, path] of held) {
      try {
        if (parse(readFileSync(path, 'utf8'))?.token === token) rmSync(path, { force: true });
      } catch {}
    }
  });
}
