import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A new folder that is removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tfjs-ssl-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The message of an error that must come, with the name of a folder taken out. */
export async function messageOf(promise: Promise<unknown>, folder?: string): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (reason: Error) => reason,
  );
  if (error === undefined) throw new Error('no error was thrown');
  return folder ? error.message.replaceAll(folder, '<folder>') : error.message;
}
