import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { argumentError } from '@tfjs-ssl/checks';
import { listOfClasses } from './tiny-imagenet-listing.ts';
import { readZipDirectory } from './zip-directory.ts';

/**
 * Whether a zip or folder holds Tiny ImageNet, by its list of classes, `wnids.txt`; else it may be an `imageFolder`.
 *
 * @param path - the zip or the folder.
 * @throws Error when there is nothing at the path, or for a zip that is none, is cut short or damaged.
 * @example
 * ```ts
 * import { imageFolder, isTinyImagenet, tinyImagenet } from '@tfjs-ssl/datasets';
 *
 * const path = 'data/tiny-imagenet-200.zip';
 * const dataset = (await isTinyImagenet(path)) ? await tinyImagenet({ path }) : await imageFolder({ path, size: 64 });
 * console.log(dataset.length);
 * await dataset.close();
 * ```
 */
export async function isTinyImagenet(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  if (!found)
    throw argumentError({
      fn: 'isTinyImagenet',
      argument: 'path',
      required: 'name a zip or folder that exists',
      got: path,
      advice: 'Check the path.',
    });
  if (!found.isDirectory())
    return [...(await readZipDirectory(path)).files.keys()].some((name) => listOfClasses.test(name));
  const folders = ['.', ...(await readdir(path))];
  const marked = await Promise.all(folders.map((name) => stat(join(path, name, 'wnids.txt')).catch(() => null)));
  return marked.some((file) => file?.isFile());
}
