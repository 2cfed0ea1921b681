import { neededNodeModule } from './node-module.ts';
import { hasEnded, thisOwner } from './owner.ts';

const need = 'files: temporary files need Node, which is missing. Run this in Node.';
const { randomBytes } = neededNodeModule('node:crypto', need);
const { readdir, rm, stat } = neededNodeModule('node:fs/promises', need);
const { basename, dirname, join } = neededNodeModule('node:path', need);

/** Milliseconds after which a file of a process that cannot be asked counts as abandoned, if nothing was written to it. */
const silence = 3_600_000;

const pattern = /^(.+)\.([0-9a-f]{12})-(\d+)-(\d+)-(\d+)-[0-9a-f]{8}\.tmp$/;

/**
 * A name for a file that gets its own once it is complete: beside it, never given twice, and telling who makes it.
 *
 * @param path - the file's own name.
 * @example
 * ```ts
 * import { temporaryName } from '@tfjs-ssl/files';
 *
 * console.log(temporaryName('model.safetensors')); // model.safetensors.4f1f0f6a9f0b-4711-0-88213-9b1deb4d.tmp
 * ```
 */
export function temporaryName(path: string): string {
  const { realm, pid, thread, start } = thisOwner();
  return `${path}.${realm}-${pid}-${thread}-${start}-${randomBytes(4).toString('hex')}.tmp`;
}

/**
 * The name that a temporary file is to get; undefined for any other file.
 *
 * @param name - as {@link temporaryName} gave it, with or without its folder.
 */
export function nameToCome(name: string): string | undefined {
  return pattern.exec(name)?.[1];
}

/**
 * Removes the temporary files that processes left when they were killed. What others write now, threads and other hosts included, stays.
 *
 * A process of this host is asked whether it still runs. The file of one that cannot be asked stays until nothing was written to it for an hour.
 *
 * @param fresh - a file that has just been written to the same folder: it has the time of the file system, whatever the clocks of the hosts say.
 * @param belongs - whether a file is meant, by the name that it was to get.
 */
export async function removeAbandoned(fresh: string, belongs: (name: string) => boolean): Promise<void> {
  const folder = dirname(fresh);
  const names = (await readdir(folder)).filter((name) => {
    const own = nameToCome(name);
    return own !== undefined && name !== basename(fresh) && belongs(own);
  });
  for (const name of names) {
    const path = join(folder, name);
    if (await isAbandoned(path, fresh)) await rm(path, { force: true });
  }
}

async function isAbandoned(path: string, fresh: string): Promise<boolean> {
  const [, , realm, pid, thread, start] = pattern.exec(path) as unknown as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const ended = hasEnded({ realm, pid: Number(pid), thread: Number(thread), start });
  if (ended !== undefined) return ended;
  const [file, now] = await Promise.all([path, fresh].map((name) => stat(name).catch(() => null)));
  return (
    file !== null && now !== null && file !== undefined && now !== undefined && now.mtimeMs - file.mtimeMs > silence
  );
}
