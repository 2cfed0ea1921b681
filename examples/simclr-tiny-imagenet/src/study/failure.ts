import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFilesAtomically } from '@tfjs-ssl/files';

const file = 'failure.txt';

/** Why the training of a run has diverged, as it would each time. Null if it has not. */
export async function failureOf(run: string): Promise<string | null> {
  try {
    return (await readFile(join(run, file), 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Keeps the reason in the run's folder. To try the run again, remove the file. */
export async function saveFailure(run: string, reason: string): Promise<void> {
  await writeFilesAtomically([{ path: join(run, file), data: `${reason}\n` }]);
}
