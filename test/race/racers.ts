import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { build } from 'vite';
import type { Answer, Task } from './racer.ts';

/** One that does what it is asked. */
export interface Racer {
  ask(task: Task): Promise<Answer>;
  /** Ends it as `kill -9` does. */
  kill(): Promise<void>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** `racer.ts` as one file of JavaScript, which processes and threads can run; TensorFlow.js is left out of it. */
export async function bundleRacer(): Promise<{ path: string; remove(): void }> {
  const folder = mkdtempSync(join(root, 'node_modules/.race-'));
  await build({
    configFile: false,
    root,
    logLevel: 'silent',
    resolve: { conditions: ['@tfjs-ssl/source', 'node'] },
    build: {
      ssr: join(root, 'test/race/racer.ts'),
      outDir: folder,
      target: 'node20',
      rolldownOptions: { output: { entryFileNames: 'racer.mjs' } },
    },
    ssr: { noExternal: [/^@tfjs-ssl\//], resolve: { conditions: ['@tfjs-ssl/source', 'node'] } },
  });
  return { path: join(folder, 'racer.mjs'), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Processes on this host. */
export const inProcess = (script: string): Promise<Racer> =>
  talkTo(spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] }));

const alone = ['--map-root-user', '--net', '--uts', '--pid', '--fork', '--mount-proc'];

/** Whether this system can make a process believe that it is on a host of its own. */
export const canBeHosts = spawnSync('unshare', [...alone, 'hostname', 'other']).status === 0;

let hosts = 0;

/** A process that has the name, the network and the process numbers of another host; the files are shared. */
export const onHost = (script: string): Promise<Racer> =>
  talkTo(
    spawn(
      'unshare',
      [...alone, '--kill-child', 'sh', '-c', `hostname host-${++hosts} && exec "$0" "$1"`, process.execPath, script],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    ),
  );

async function talkTo(child: ChildProcess): Promise<Racer> {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  await lines.next(); // ready
  return {
    async ask(task) {
      child.stdin?.write(`${JSON.stringify(task)}\n`);
      const { value, done } = await lines.next();
      return done ? { value: null, message: 'it has ended' } : JSON.parse(value);
    },
    kill: () =>
      new Promise((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGKILL');
      }),
  };
}

/** A thread of this process. */
export async function inThread(script: string): Promise<Racer> {
  const worker = new Worker(script);
  const next = <Message>() => new Promise<Message>((resolve) => worker.once('message', resolve));
  await next();
  return {
    ask(task) {
      const answer = next<Answer>();
      worker.postMessage(task);
      return answer;
    },
    kill: async () => {
      await worker.terminate();
    },
  };
}
