import { Worker } from 'node:worker_threads';
import { checkNumber } from '@tfjs-ssl/checks';
import { processors } from '@tfjs-ssl/files';
import type { DecodeResult, DecodeTask } from '../workers/decode-worker.js';

/** Default number of decoding threads: one per available processor, at most 8, because a disk seldom feeds more. */
function defaultWorkers(): number {
  return Math.min(processors(), 8);
}

/**
 * Decodes tasks on worker threads and hands each result on as it is ready, in no fixed order.
 *
 * A worker gets its next task only when the result before it has been consumed, so at most one result a worker is held.
 * All workers have ended when this returns or throws.
 *
 * @param tasks - made one at a time, as workers become free.
 * @param consume - gets the task's position and its result; may be slow.
 */
export async function decodeOnWorkers(
  tasks: Iterable<DecodeTask>,
  consume: (position: number, result: DecodeResult) => void | Promise<void>,
  options: { workers: number },
): Promise<void> {
  const queue = tasks[Symbol.iterator]();
  let position = 0;
  const threads: Worker[] = [];
  let stopped = false;

  const work = async (): Promise<void> => {
    let thread: Worker | undefined;
    for (let next = queue.next(); !next.done && !stopped; next = queue.next()) {
      const mine = position++;
      if (!thread) {
        thread = new Worker(new URL('../workers/decode-worker.js', import.meta.url));
        threads.push(thread);
      }
      await consume(mine, await answer(thread, next.value));
    }
  };

  const running = Array.from({ length: options.workers }, work);
  try {
    await Promise.all(running);
  } finally {
    stopped = true;
    // After a failure this makes the other workers' answers fail too, so that none is waited for.
    await Promise.all(threads.map((thread) => thread.terminate()));
    await Promise.allSettled(running);
  }
}

function answer(thread: Worker, task: DecodeTask): Promise<DecodeResult> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      thread.off('message', onMessage).off('error', onError).off('exit', onExit);
      finish();
    };
    const onMessage = (result: DecodeResult) => settle(() => resolve(result));
    const onError = (cause: Error) =>
      settle(() => reject(new Error(`a decoding thread failed: ${cause.message}. Run again.`, { cause })));
    const onExit = (code: number) =>
      settle(() =>
        reject(
          new Error(`a decoding thread ended with code ${code}. Run again, with fewer workers if memory was short.`),
        ),
      );
    thread.on('message', onMessage).on('error', onError).on('exit', onExit);
    thread.postMessage(task);
  });
}

/** Checks the option `workers`. */
export function workerCount(caller: string, workers: number | undefined): number {
  const count = workers ?? defaultWorkers();
  checkNumber(caller, 'workers', count, { min: 1, integer: true }, 'Leave it out for one per processor.');
  return count;
}
