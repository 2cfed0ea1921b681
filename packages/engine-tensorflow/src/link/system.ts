import { spawnSync } from 'node:child_process';

/** How a command ended. */
export interface Ended {
  /** Exit code; null where the command is not there or was killed. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Whether the command exists. */
  readonly found: boolean;
}

/** Runs a command to its end. Tests put one of their own in its place. */
export type Run = (command: string, args: readonly string[], options?: { cwd?: string }) => Ended;

/** Runs commands of this system. */
export const runCommand: Run = (command, args, options = {}) => {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    ...options,
    encoding: 'utf8',
    maxBuffer: 2 ** 30, // the symbols of libtensorflow are some hundred megabytes of text
  });
  const found = (error as NodeJS.ErrnoException | undefined)?.code !== 'ENOENT';
  return { status, stdout: stdout ?? '', stderr: stderr ?? (error ? error.message : ''), found };
};

/** A failure whose message says the cause and the next command; it is printed without a stack. */
export class LinkError extends Error {
  override readonly name = 'LinkError';
}

/** The last lines of what a command printed, indented. */
export function tail(text: string, lines = 12): string {
  const all = text.trimEnd().split('\n');
  return all
    .slice(-lines)
    .map((line) => `    ${line}`)
    .join('\n');
}
