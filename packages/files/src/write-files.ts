import type { FileHandle } from 'node:fs/promises';
import { fileError } from './file-error.ts';
import { neededNodeModule } from './node-module.ts';
import { removeAbandoned, temporaryName } from './temporary-files.ts';

const need = 'writeFilesAtomically: files need Node, which is missing. Keep the bytes elsewhere.';
const { open, rename, rm } = neededNodeModule('node:fs/promises', need);
const { basename, dirname } = neededNodeModule('node:path', need);

/** A file to write: where and what. */
export interface FileToWrite {
  readonly path: string;
  readonly data: string | Uint8Array;
}

/** What file systems answer that cannot sync a folder, or anything: network shares, shared folders of virtual machines. */
const unsupported = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

async function syncWhereSupported(file: FileHandle): Promise<void> {
  await file.sync().catch((error: NodeJS.ErrnoException) => {
    if (!unsupported.has(error.code ?? '')) throw error;
  });
}

async function writeSynced(path: string, data: string | Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(data);
    await syncWhereSupported(file);
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return; // folders cannot be opened there, and renames are journaled
  const folder = await open(path, 'r');
  try {
    await syncWhereSupported(folder);
  } finally {
    await folder.close();
  }
}

/** What a file answers for a moment while something else holds it: a scanner on Windows or on a share of Windows. */
const passing = new Set(['EPERM', 'EACCES', 'EBUSY']);
const patience = 1000;

/**
 * Gives a complete file its name, over the file that has it. Where another program holds that file for a moment it tries again, for a second.
 *
 * @param from - the complete file.
 * @param to - its name.
 * @throws what `rename` of `node:fs` throws.
 */
export async function replaceFile(from: string, to: string): Promise<void> {
  const until = performance.now() + patience;
  for (let pause = 10; ; pause *= 2) {
    try {
      return await rename(from, to);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (!passing.has(code) || performance.now() + pause > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

/**
 * Writes files so that a reader, or a machine that loses power, finds each either as it was or complete.
 *
 * All are written to temporary names beside them and synced before the first is renamed, so that a full disk changes nothing;
 * then they are renamed in the order given, and the folder is synced. Where several belong together, put the one that makes the
 * others count last. Any number of writers may write one file at once: one of them is the last.
 *
 * @param files - files of one folder, which exists.
 * @throws Error that names the file and what to do; the temporary files are removed.
 */
export async function writeFilesAtomically(files: readonly FileToWrite[]): Promise<void> {
  const parts = files.map(({ path, data }) => ({ path, data, part: temporaryName(path) }));
  let current = '';
  try {
    for (const { path, data, part } of parts) {
      current = path;
      await writeSynced(part, data);
    }
    for (const { path, part } of parts) {
      current = path;
      await replaceFile(part, path);
    }
    await syncFolder(dirname(current));
  } catch (error) {
    await Promise.allSettled(parts.map(({ part }) => rm(part, { force: true })));
    throw fileError('write', current, error);
  }
  const names = files.map(({ path }) => basename(path));
  await removeAbandoned(current, (name) => names.includes(name)).catch(() => {}); // what is left can wait
}
