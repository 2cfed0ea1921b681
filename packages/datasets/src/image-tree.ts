import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { argumentError } from '@tfjs-ssl/checks';
import { type FileReference, readReference } from '../workers/file-reader.js';
import { walkFolder } from './walk-folder.ts';
import { readZipDirectory } from './zip-directory.ts';

/** The files of a zip or a folder, looked at in the same way: names with slashes, relative to its root. */
export interface ImageTree {
  /** Absolute path with links resolved. */
  readonly path: string;
  readonly kind: 'zip' | 'folder';
  /** Files. */
  readonly names: readonly string[];
  /** Folders that are known to be there, each with a slash at its end; a zip need not list those that hold files. */
  readonly folders: readonly string[];
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
  if (!found)
    throw argumentError({
      fn: caller,
      argument: 'path',
      required: 'name a zip or folder that exists',
      got: path,
      advice: 'Check the path.',
    });
  const absolute = await realpath(path);
  return found.isDirectory() ? openFolder(absolute, caller) : openZip(absolute, caller);
}

async function openZip(path: string, caller: string): Promise<ImageTree> {
  const { files, folders } = await readZipDirectory(path);
  const { size, mtimeMs } = await stat(path);
  const reference = (name: string): FileReference => {
    const entry = files.get(name);
    if (!entry) throw new Error(`${caller}: ${path} must hold ${name}, got none. Fetch or copy it again.`);
    if (entry.method !== 0 && entry.method !== 8) {
      throw new Error(
        `${caller}: ${name} in ${path} must be packed by zip method 0 (stored) or 8 (deflated), got ${entry.method}${methodName(entry.method)}. ` +
          'Unpack the zip and pass the folder, or pack it again.',
      );
    }
    return { name, path, entry };
  };
  return {
    path,
    kind: 'zip',
    names: [...files.keys()],
    folders,
    has: (name) => files.has(name),
    reference,
    readBytes: (name) => bytesOf(reference(name)),
    readText: (name) => new TextDecoder().decode(bytesOf(reference(name))),
    fingerprint: async () => `zip ${size} ${mtimeMs}`,
  };
}

/** Names of the methods that programs offer, for messages. */
function methodName(method: number): string {
  const name = { 9: 'Deflate64', 12: 'bzip2', 14: 'LZMA', 93: 'Zstandard', 95: 'xz', 98: 'PPMd', 99: 'AES' }[method];
  return name ? ` (${name})` : '';
}

async function openFolder(path: string, caller: string): Promise<ImageTree> {
  const { files: names, folders } = await walkFolder(path, caller);
  const known = new Set(names);
  const reference = (name: string): FileReference => ({ name, path: join(path, name) });
  return {
    path,
    kind: 'folder',
    names,
    folders,
    has: (name) => known.has(name),
    reference,
    readBytes: (name) => bytesOf(reference(name)),
    readText: (name) => new TextDecoder().decode(bytesOf(reference(name))),
    fingerprint: async (selected) => {
      const hash = createHash('sha256');
      for (const [i, name] of selected.entries()) {
        const { size, mtimeMs } = statSync(join(path, name), { throwIfNoEntry: false }) ?? { size: -1, mtimeMs: 0 };
        hash.update(`${name}\n${size} ${mtimeMs}\n`);
        // 100,000 synchronous calls take half a second, asynchronous ones four times that: the event loop gets a turn between.
        if (i % 1000 === 999) await setImmediate();
      }
      return `folder ${hash.digest('hex')}`;
    },
  };
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
