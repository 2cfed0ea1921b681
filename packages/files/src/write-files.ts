import { fileError } from './file-error.ts';
import { neededNodeModule } from './node-module.ts';

const need = 'writeFilesAtomically: files need Node, which is not here. Keep the bytes elsewhere.';
const { open, rename, rm } = neededNodeModule('node:fs/promises', need);
const { dirname } = neededNodeModule('node:path', need);

/** Ending of the name under which a file is written before it takes its own. */
export const temporarySuffix = '.tmp';

/** A file to write: where and what. */
export interface FileToWrite {
  readonly path: string;
  readonly data: string | Uint8Array;
}

async function writeSynced({ path, data }: FileToWrite): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.writeFile(data);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return; // folders cannot be opened there, and renames are journaled
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Writes files so that a reader, or a machine that loses power, finds each either as it was or complete.
 *
 * All are written to temporary names beside them and synced before the first is renamed, so that a full disk changes nothing;
 * then they are renamed in the order given, and the folder is synced. Where several belong together, put the one that makes the
 * others count last.
 *
 * @param files - files of one folder, which exists.
 * @throws Error that names the file and what to do; the temporary files are removed.
 */
export async function writeFilesAtomically(files: readonly FileToWrite[]): Promise<void> {
  let current = '';
  try {
    for (const { path, data } of files) {
      current = path;
      await writeSynced({ path: path + temporarySuffix, data });
    }
    for (const { path } of files) {
      current = path;
      await rename(path + temporarySuffix, path);
    }
    await syncFolder(dirname(current));
  } catch (error) {
    await Promise.allSettled(files.map(({ path }) => rm(path + temporarySuffix, { force: true })));
    throw fileError('write', current, error);
  }
}
