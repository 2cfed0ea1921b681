import { nodeModule } from '@tfjs-ssl/files';
import { instantiate, type KernelExports } from './kernel-module.ts';
import { THREADS } from './memory-layout.ts';
import { mayWait } from './platform.ts';

/** Turns of the caller's waiting loop before it sleeps until the workers are done, or looks at the clock: about 0.1 ms. */
const CALLER_SPIN = 50_000;
/** Seconds without progress in a job after which a worker counts as hung; a task takes milliseconds. */
const PATIENCE = 60;

interface PoolWorker {
  terminate(): unknown;
}

/** The calling thread and its workers, all on one memory and one module. */
export class ThreadPool {
  readonly threads: number;
  readonly kernels: KernelExports;
  readonly #workers: PoolWorker[] = [];
  readonly #patience: number;
  readonly #sleeps: boolean;
  /** Tasks of the job that was begun last, 0 once it is done. */
  #open = 0;
  #broken: string | null = null;
  #stopped = false;

  private constructor(kernels: KernelExports, threads: number, patience: number, sleeps: boolean) {
    this.kernels = kernels;
    this.threads = threads;
    this.#patience = patience;
    this.#sleeps = sleeps;
  }

  /** Starts `threads - 1` workers; one that makes no progress for `patience` seconds counts as hung. `sleeps`: whether the caller may. */
  static async start(
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    threads: number,
    patience: number = PATIENCE,
    sleeps: boolean = mayWait(),
  ): Promise<ThreadPool> {
    new Int32Array(memory.buffer)[THREADS / 4] = threads;
    const pool = new ThreadPool(await instantiate(module, memory), threads, patience, sleeps);
    await Promise.all(
      Array.from({ length: threads - 1 }, (_, i) => pool.#startWorker({ module, memory, thread: i + 1 })),
    );
    return pool;
  }

  /**
   * Begins a job. The workers go to it while the caller prepares the next one; the caller helps them in {@link finish}, which whoever
   * touches the memory must call before. Kernels for one thread are done when this returns.
   *
   * @param job - address of its descriptor.
   * @param tasks - number of its tasks.
   * @throws Error if the engine has been stopped, or a thread has failed or died.
   */
  begin(job: number, tasks: number): void {
    this.finish();
    if (this.#broken !== null || this.#stopped) this.checkUsable();
    if (tasks >= 0x100000 - this.threads)
      throw new Error(`engine-simd: a job must have fewer tasks than ${0x100000 - this.threads}, got ${tasks}.`);
    if (tasks === 0) return;
    this.#guard(() => this.kernels.begin(job, tasks));
    if (this.kernels.finish) this.#open = tasks;
  }

  /**
   * Helps with the job that was begun last, and returns when it is done.
   *
   * @throws Error if a thread has failed.
   */
  finish(): void {
    if (this.#open === 0) return;
    const tasks = this.#open;
    this.#open = 0;
    let outcome = this.#guard(() => this.kernels.finish?.(tasks, CALLER_SPIN, this.#sleeps ? this.#patience : 0) ?? 0);
    if (outcome === 2 && !this.#sleeps) outcome = this.#watch(tasks);
    if (outcome === 0) return;
    this.#broken ??= outcome === 1 ? 'a worker thread failed in a kernel' : 'a worker thread has hung';
    this.checkUsable();
  }

  #guard<Result>(run: () => Result): Result {
    try {
      return run();
    } catch (error) {
      this.#broken = `a kernel failed (${error})`;
      throw error;
    }
  }

  /** Waits for the end of a job without sleeping; returns what `finish` of the kernels does. */
  #watch(tasks: number): number {
    let [done, since] = [-1, 0];
    for (;;) {
      const now = this.kernels.lookForEnd?.(tasks, CALLER_SPIN) ?? -1;
      if (now < 0) return 1;
      if (now >= tasks) return 0;
      if (now !== done) [done, since] = [now, performance.now()];
      else if (performance.now() - since > this.#patience * 1000) return 2;
    }
  }

  /** Throws unless jobs can be run. */
  checkUsable(): void {
    if (this.#stopped) {
      throw new Error(
        "engine-simd: the engine has been stopped and its tensors are gone. Call `await startEngine('simd')` to start it again.",
      );
    }
    if (this.#broken !== null) {
      throw new Error(
        `engine-simd: ${this.#broken}; results can no longer be trusted. Start the process again; with fewer threads if memory was short.`,
      );
    }
  }

  /** Ends the workers, once the last job is done. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    try {
      this.finish();
    } catch {
      // Whoever reads a result is told so.
    }
    this.#stopped = true;
    this.kernels.endWorkers?.();
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #lost(reason: string): void {
    if (!this.#stopped) this.#broken ??= `a worker thread has died (${reason})`;
  }

  #startWorker(start: { module: WebAssembly.Module; memory: WebAssembly.Memory; thread: number }): Promise<void> {
    return new Promise((resolve, reject) => {
      const onMessage = (message: { ready?: true; failed?: string }): void => {
        if (message.ready) resolve();
        else this.#lost(message.failed ?? 'unknown message');
      };
      const onEnd = (reason: string): void => {
        this.#lost(reason);
        reject(new Error(`engine-simd: a worker thread could not be started (${reason}). Try fewer threads.`));
      };
      const threads = nodeModule('node:worker_threads');
      if (threads) {
        const file = new URL(/* @vite-ignore */ '../workers/kernel-worker.js', import.meta.url);
        const worker = new threads.Worker(file, {
          workerData: start,
          name: `engine-simd ${start.thread}`,
          execArgv: [], // flags like --input-type are for the program, and fail here
        });
        this.#workers.push(worker);
        worker.on('message', (message) => {
          onMessage(message);
          worker.unref(); // from here on the process may end by itself
        });
        worker.on('error', (error) => onEnd(String(error)));
        worker.on('exit', (code) => onEnd(`exit code ${code}`));
      } else {
        // Bundlers know a worker by exactly these words, and make it a file of its own.
        const worker = new Worker(new URL('../workers/kernel-worker.js', import.meta.url), { type: 'module' });
        this.#workers.push(worker);
        worker.onmessage = ({ data }) => onMessage(data);
        // without a message where the file was not loaded
        worker.onerror = ({ message }) => onEnd(message ?? 'its file was refused or not found; the console says more');
        worker.postMessage(start);
      }
    });
  }
}
