import { fileError } from './file-error.ts';
import { neededNodeModule } from './node-module.ts';

const need = 'makeNewFolder: folders need Node, which is missing. Run this in Node.';
const { mkdir } = neededNodeModule('node:fs/promises', need);
const { dirname } = neededNodeModule('node:path', need);

/**
 * Makes a new folder. If its name is taken, it adds `-2`, `-3` and so on. Of any number of callers at once
 * each gets its own.
 *
 * @param path - the name; missing folders above it are made too.
 * @returns the folder's path.
 * @throws Error if no folder can be made there.
 */
export async function makeNewFolder(path: string): Promise<string> {
  try {
    await mkdir(dirname(path), { recursive: true });
    for (let count = 1; ; count++) {
      const name = count === 1 ? path : `${path}-${count}`;
      try {
        await mkdir(name);
        return name;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
  } catch (error) {
    throw fileError('make the folder', path, error);
  }
}
