import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type FileReference, readReference } from '../workers/file-reader.js';
import { readZipDirectory } from './zip-directory.ts';

/** The files of a zip or a folder, looked at in the same way: names with slashes, relative to its root. */
export interface ImageTree {
  /** Absolute path with links resolved. */
  readonly path: string;
  readonly names: readonly string[];
  has(name: string): boolean;
  reference(name: string): FileReference;
  readBytes(name: string): Uint8Array;
  readText(name: string): string;
  /** Changes when the zip, or one of the named files of a folder, changes (by size and time of modification). */
  fingerprint(names: readonly string[]): Promise<string>;
}

/**
 * Opens a zip or a folder.
 *
 * @param path - the zip or the folder.
 * @param caller - name of the function in messages.
 * @throws Error when there is nothing at the path.
 */
export async function openTree(path: string, caller: string): Promise<ImageTree> {
  const found = await stat(path).catch(() => null);
  if (!found) throw new Error(`${caller}: there is nothing at ${path}. Check the path.`);
  const absolute = await realpath(path);
  return found.isDirectory() ? openFolder(absolute) : openZip(absolute);
}

async function openZip(path: string): Promise<ImageTree> {
  const entries = await readZipDirectory(path);
  const { size, mtimeMs } = await stat(path);
  const reference = (name: string): FileReference => {
    const entry = entries.get(name);
    return entry ? { name, path, entry } : { name, path };
  };
  return {
    path,
    names: [...entries.keys()],
    has: (name) => entries.has(name),
    reference,
    readBytes: (name) => bytesOf(reference(name)),
    readText: (name) => new TextDecoder().decode(bytesOf(reference(name))),
    fingerprint: async () => `zip ${size} ${mtimeMs}`,
  };
}

async function openFolder(path: string): Promise<ImageTree> {
  const names: string[] = [];
  await list(path, '', names);
  const known = new Set(names);
  const reference = (name: string): FileReference => ({ name, path: join(path, name) });
  return {
    path,
    names,
    has: (name) => known.has(name),
    reference,
    readBytes: (name) => bytesOf(reference(name)),
    readText: (name) => new TextDecoder().decode(bytesOf(reference(name))),
    fingerprint: async (selected) => {
      const hash = createHash('sha256');
      for (const [i, name] of selected.entries()) {
        const { size, mtimeMs } = statSync(join(path, name));
        hash.update(`${name}\n${size} ${mtimeMs}\n`);
        // 100,000 synchronous calls take half a second, asynchronous ones four times that: the event loop gets a turn between.
        if (i % 1000 === 999) await setImmediate();
      }
      return `folder ${hash.digest('hex')}`;
    },
  };
}

async function list(folder: string, prefix: string, names: string[]): Promise<void> {
  for (const item of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, item.name);
    const kind = item.isSymbolicLink() ? await stat(path).catch(() => item) : item;
    if (kind.isDirectory()) await list(path, `${prefix}${item.name}/`, names);
    else if (kind.isFile()) names.push(`${prefix}${item.name}`);
  }
}

function bytesOf(reference: FileReference): Uint8Array {
  try {
    return readReference(reference);
  } catch (cause) {
    throw new Error(`${reference.name} in ${reference.path} ${(cause as Error).message}. Fetch or copy it again.`, {
      cause,
    });
  }
}
