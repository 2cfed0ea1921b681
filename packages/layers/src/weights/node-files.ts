/**
 * Node's file functions.
 *
 * The specifier is put together at run time because bundlers for browsers follow every import that they can read, and have no such module.
 *
 * @throws Error outside Node.
 */
export async function nodeFiles(caller: string): Promise<typeof import('node:fs/promises')> {
  const specifier = ['node:fs', 'promises'].join('/');
  try {
    return await import(/* @vite-ignore */ /* webpackIgnore: true */ specifier);
  } catch (error) {
    throw new Error(`${caller}: a path needs Node's file system, which is not here. Pass or take bytes instead.`, {
      cause: error,
    });
  }
}
