import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { argumentError } from '@tfjs-ssl/checks';

/** Options of `findTinyImagenet`. */
export interface FindTinyImagenetOptions {
  /** A path that the user has named. */
  readonly data?: string | undefined;
  /** Environment; default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Folder that relative paths and `data/` start from; default the current one. */
  readonly cwd?: string;
}

const archive = 'tiny-imagenet-200';

/**
 * Looks for Tiny ImageNet: at the path that the user names, then where the environment variable `TINY_IMAGENET` points,
 * then for `data/tiny-imagenet-200.zip` and `data/tiny-imagenet-200`.
 *
 * A folder may also be the one that holds the archive or the unpacked folder.
 *
 * @returns absolute path of the zip or the folder; null if there is none.
 * @throws Error if `data` or `TINY_IMAGENET` names a path that does not exist; no other path is tried instead.
 * @example
 * ```ts
 * import { findTinyImagenet, generatedImages, tinyImagenet } from '@tfjs-ssl/datasets';
 *
 * const path = await findTinyImagenet();
 * const dataset = path ? await tinyImagenet({ path, classes: 10 }) : generatedImages();
 * ```
 */
export async function findTinyImagenet(options: FindTinyImagenetOptions = {}): Promise<string | null> {
  const { data, env = process.env, cwd = process.cwd() } = options;
  const named = [
    { path: data, from: 'data', advice: 'Check the path.' },
    { path: env.TINY_IMAGENET, from: 'TINY_IMAGENET', advice: 'Correct the environment variable, or unset it.' },
  ].find(({ path }) => path);
  if (named) {
    const path = resolve(cwd, named.path as string);
    if (!(await exists(path))) {
      throw argumentError({
        fn: 'findTinyImagenet',
        argument: named.from,
        required: 'name a zip or folder that exists',
        got: path,
        advice: named.advice,
      });
    }
    return (await within(path)) ?? path;
  }
  return within(resolve(cwd, 'data'));
}

async function within(folder: string): Promise<string | null> {
  for (const name of [`${archive}.zip`, archive]) {
    const path = join(folder, name);
    if (await exists(path)) return path;
  }
  return null;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
