import { type ChildProcess, spawn } from 'node:child_process';

/** A program that runs in a process of its own. */
export interface RunningProgram {
  readonly process: ChildProcess;
  /** Everything printed so far. */
  output(): string;
  /** Resolves when the text has been printed. */
  printed(text: string): Promise<void>;
  readonly ended: Promise<number | null>;
}

/** Starts a program with generated images, in a folder. */
export function startProgram(main: string, args: readonly string[], cwd: string): RunningProgram {
  const { TINY_IMAGENET: _, ...env } = process.env;
  const child = spawn(process.execPath, [main, ...args], { env, cwd });
  let output = '';
  const waiting: Array<{ text: string; resolve: () => void }> = [];
  const read = (chunk: Buffer) => {
    output += chunk;
    for (const { text, resolve } of waiting) if (output.includes(text)) resolve();
  };
  child.stdout.on('data', read);
  child.stderr.on('data', read);
  return {
    process: child,
    output: () => output,
    printed: (text) => new Promise((resolve) => (output.includes(text) ? resolve() : waiting.push({ text, resolve }))),
    ended: new Promise((resolve) => child.on('close', (code) => resolve(code))),
  };
}
