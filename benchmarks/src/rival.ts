import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Another process that measures the same work, spoken to by one JSON object per line. */
export interface Rival<Hello> {
  /** What it said of itself at the start. */
  readonly hello: Hello;
  /**
   * Asks for something and waits for the answer.
   *
   * @throws Error if the process ends, or answers something that is not JSON.
   */
  ask<Answer>(request: object): Promise<Answer>;
  /** Ends the process. */
  stop(): void;
}

/** The interpreters that run the PyTorch rivals: `PYTHON`, one or several with commas between them; by default Debian's. */
export function pythonInterpreters(): [string, ...string[]] {
  const [first, ...others] = (process.env.PYTHON ?? '').split(',').filter((name) => name.trim() !== '');
  return first === undefined ? ['/usr/bin/python3'] : [first.trim(), ...others.map((name) => name.trim())];
}

/** The interpreter of benches that have one rival: the first of all. */
export function pythonInterpreter(): string {
  return pythonInterpreters()[0];
}

/**
 * Starts a rival and waits until it is ready.
 *
 * @param command - program and arguments.
 * @returns the rival, or why there is none: the program is not there, its first line says `{"missing": reason}`, or it ends
 * before it said anything.
 */
export async function startRival<Hello extends object>(
  command: readonly [string, ...string[]],
): Promise<Rival<Hello> | { readonly missing: string }> {
  const [program, ...args] = command;
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ending = watchEnding(child, program);

  async function nextLine(): Promise<unknown> {
    const { value, done } = await lines.next();
    if (done) throw new Error(await ending);
    try {
      return JSON.parse(value);
    } catch {
      throw new Error(`${program} must answer with a line of JSON, got: ${value}`);
    }
  }

  let hello: Hello | { missing: string };
  try {
    hello = (await nextLine()) as Hello | { missing: string };
  } catch (error) {
    child.kill();
    return { missing: (error as Error).message };
  }
  if ('missing' in hello) return { missing: hello.missing };
  return {
    hello,
    async ask<Answer>(request: object) {
      child.stdin.write(`${JSON.stringify(request)}\n`);
      return (await nextLine()) as Answer;
    },
    stop: () => child.kill(),
  };
}

/** Why the process ended, with the end of what it wrote to stderr. */
function watchEnding(child: ChildProcessWithoutNullStreams, program: string): Promise<string> {
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors = (errors + chunk).slice(-2000);
  });
  child.stdin.on('error', () => {}); // a write to a process that has ended; its end is reported instead
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(`${program} cannot be started: ${error.message}`));
    child.on('close', (code, signal) => {
      resolve(`${program} ended (${signal ?? `exit code ${code}`})${errors ? `:\n${errors.trim()}` : ''}`);
    });
  });
}
