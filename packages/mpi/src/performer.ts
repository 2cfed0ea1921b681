import type { Call } from './backend.ts';
import type { ThreadLevel } from './types.ts';

/** Runs operations one after the other: MPI may be called by one thread at a time, and all ranks must call in one order. */
export interface Performer {
  now(fn: string, call: () => Call): void;
  later(fn: string, call: () => Call): Promise<void>;
  /** Runs the last thing; a second call does nothing. */
  finish(run: () => void): void;
}

/** @param level - what the library allows its callers. */
export function performer(level: ThreadLevel): Performer {
  let finished = false;
  let pending = 0;
  let last: Promise<unknown> = Promise.resolve();

  const checkOpen = (fn: string): void => {
    if (finished)
      throw new Error(`${fn}: the job must not be left yet, got a call after mpi.finalize(). Finalize last.`);
  };
  const checkIdle = (fn: string): void => {
    if (pending === 0) return;
    throw new Error(
      `${fn}: asynchronous operations must have ended, got ${pending} under way. Await their promises first.`,
    );
  };
  return {
    now(fn, call) {
      checkOpen(fn);
      checkIdle(fn);
      call().now();
    },
    async later(fn, call) {
      checkOpen(fn);
      if (level !== 'serialized' && level !== 'multiple') {
        throw new Error(
          `${fn}: an asynchronous operation needs an MPI library that other threads may call, got the thread level '${level}'. Use the synchronous operation.`,
        );
      }
      const ready = call();
      pending++;
      // at once if nothing is under way: the other thread works even while this one computes
      const run = pending === 1 ? ready.later() : last.then(() => ready.later());
      last = run.catch(() => {});
      try {
        await run;
      } finally {
        pending--;
      }
    },
    finish(run) {
      if (finished) return;
      checkIdle('mpi.finalize');
      finished = true;
      run();
    },
  };
}
