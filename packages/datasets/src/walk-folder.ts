import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';

/** What lies below a folder: names with slashes, relative to it. */
export interface FolderContents {
  readonly files: readonly string[];
  /** Folders, each with a slash at its end. */
  readonly folders: readonly string[];
}

/** Folders and files of systems and file servers, which belong to no data set: hidden ones, `__MACOSX`, `@eaDir` and the like. */
export function belongsToSystem(name: string): boolean {
  return /^(\..*|__MACOSX|@eaDir|#recycle|lost\+found|\$RECYCLE\.BIN|System Volume Information|Thumbs\.db|desktop\.ini)$/i.test(
    name,
  );
}

/**
 * Lists a folder with all folders below, those that links lead to included, each once: a folder that lies below under its
 * own name counts there and not where a link leads to it, and links to a folder above are not followed.
 *
 * @param root - absolute path without links.
 * @param caller - name of the function in messages.
 * @throws Error that names a folder which cannot be read.
 */
export async function walkFolder(root: string, caller: string): Promise<FolderContents> {
  const files: string[] = [];
  const folders: string[] = [];
  const visited = new Set<string>();
  const links: Array<{ prefix: string; path: string }> = [];

  /** `path` is the real one of the folder that is listed under `prefix`. */
  const enter = async (prefix: string, path: string): Promise<void> => {
    if (visited.has(path)) return;
    visited.add(path);
    if (prefix !== '') folders.push(prefix);
    for (const item of await contents(path, caller)) {
      if (belongsToSystem(item.name)) continue;
      const name = `${prefix}${item.name}`;
      const itemPath = join(path, item.name);
      const kind = item.isSymbolicLink() ? await stat(itemPath).catch(() => null) : item;
      // A link that leads nowhere is listed: whoever reads it says so.
      if (kind === null || kind.isFile()) files.push(name);
      else if (kind.isDirectory() && item.isSymbolicLink()) links.push({ prefix: `${name}/`, path: itemPath });
      else if (kind.isDirectory()) await enter(`${name}/`, itemPath);
    }
  };

  await enter('', root);
  // Links come last, so that a folder counts under its own name where it has one.
  for (let link = links.shift(); link; link = links.shift()) {
    const target = await realpath(link.path);
    if (!root.startsWith(target.endsWith(sep) ? target : target + sep)) await enter(link.prefix, target);
  }
  return { files, folders };
}

async function contents(folder: string, caller: string): Promise<Dirent[]> {
  try {
    const items = await readdir(folder, { withFileTypes: true });
    return items.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (cause) {
    throw new Error(
      `${caller}: the folder ${folder} cannot be read (${(cause as Error).message}). Change its permissions, or move it out of the data set.`,
      { cause },
    );
  }
}
