import { FileLock } from '@tfjs-ssl/files';
import { path } from './node.ts';

const lockFile = 'run.lock';
const nameOf = (folder: string): string => `RunFolder: the run in ${folder}`;

/** Holds a run folder; throws if another process or thread holds it. */
export const lockRun = (folder: string): Promise<FileLock> =>
  FileLock.take(path.join(folder, lockFile), nameOf(folder));

/** Throws if another process or thread holds a run folder. */
export const checkUnlocked = (folder: string): Promise<void> =>
  FileLock.checkFree(path.join(folder, lockFile), nameOf(folder));
