const advice: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full. Free some space and resume; what was saved before is intact',
  EDQUOT: 'the disk quota is used up. Free some space and resume; what was saved before is intact',
  EACCES: 'it may not be written by this user. Change its permissions or choose another folder',
  EPERM: 'it may not be written by this user. Change its permissions or choose another folder',
  EROFS: 'its file system is read-only. Choose another folder',
  ENOTDIR: 'a part of the path is a file. Choose another folder',
  EEXIST: 'it is a file. Choose another folder',
  EISDIR: 'it is a folder. Move it away or choose another path',
  ENOENT: 'it is not there. Check the path',
  EMFILE: 'too many files are open. Raise the limit (ulimit -n)',
};

/**
 * Turns an error of the file system into one that says which file, what is wrong and what to do.
 *
 * @param action - what was being done, for example `'write'`.
 * @param path - the file or folder.
 * @param error - what `node:fs` threw; becomes the `cause`.
 */
export function fileError(action: string, path: string, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  const why = (code !== undefined && advice[code]) || message;
  return new Error(`cannot ${action} ${path}: ${why}.${code ? ` (${code})` : ''}`, { cause: error });
}
