import { mkdir, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder, writeFolder, zipBytes } from './make-files.ts';

const content = new Uint8Array(1);

/** A folder with files of these names, and folders where a name ends with a slash. */
export async function folderOf(names: readonly string[]): Promise<string> {
  const folder = await realpath(await temporaryFolder());
  const files = names.filter((name) => !name.endsWith('/'));
  for (const name of names) if (name.endsWith('/')) await mkdir(join(folder, name), { recursive: true });
  await writeFolder(
    folder,
    files.map((name) => ({ name, bytes: content })),
  );
  return folder;
}

/** The same as a zip. */
export async function zipOf(names: readonly string[]): Promise<string> {
  const path = join(await realpath(await temporaryFolder()), 'x.zip');
  await writeFile(path, zipBytes(names.map((name) => ({ name, bytes: content }))));
  return path;
}
