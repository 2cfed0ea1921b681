// The thread pool: a job is split into tasks, and each thread begins with a stretch of them of its own; one that has done its own takes from the others.
//
// Most jobs walk along the batch, so a thread finds in its caches what it wrote in the job before: between cores that share no cache, to
// read what another has written takes several times as long.
//
// A thread takes a task with one atomic addition. Counters carry the generation and the end of their stretch, so that a worker that
// comes late finds exhausted counters or the tasks of the new job, never a mixture.
import {
  CALLER_SLEEPING,
  COUNTER_SIZE,
  COUNTERS,
  DONE,
  FAILED,
  GENERATION,
  JOB,
  PAGES,
  SCRATCH,
  SCRATCH_SIZE,
  SLEEPING,
  TASKS,
  THREADS,
} from './layout';
import { firstOf } from './split';
import { runTask } from './tasks';

// Calls out of WebAssembly, where an engine looks for what other threads have asked of this one.
@external('env', 'pause')
declare function pause(): void;

/**
 * Takes and runs tasks of the open job until there are none left.
 *
 * V8 tells other threads that the memory has grown by an interrupt. Until one has looked for it, its bulk operations (`memory.fill`) still
 * end at the old size and trap, so a thread makes sure of the size before it touches what a job names.
 */
export function drain(thread: i32): void {
  const threads = load<i32>(THREADS);
  const scratch = SCRATCH + <usize>thread * SCRATCH_SIZE;
  for (let i = 0; i < threads; i++) {
    const owner = thread + i < threads ? thread + i : thread + i - threads;
    const counter = COUNTERS + <usize>owner * COUNTER_SIZE;
    while (true) {
      const ticket = atomic.add<u64>(counter, 1);
      const index = <i32>(ticket & 0xfffff);
      if (index >= <i32>((ticket >> 20) & 0xfffff)) break;
      while (memory.size() < atomic.load<i32>(PAGES)) pause();
      runTask(<usize>load<u32>(JOB), index, scratch);
      if (atomic.add<i32>(DONE, 1) + 1 === atomic.load<i32>(TASKS) && thread !== 0 && atomic.load<i32>(CALLER_SLEEPING)) {
        atomic.notify(DONE, 1);
      }
    }
  }
}

/** Opens a job of `tasks` tasks to the workers; the one before must have come to its end. The caller takes its part in `finish`. */
export function begin(job: usize, tasks: i32): void {
  store<u32>(JOB, <u32>job);
  atomic.store<i32>(TASKS, tasks);
  atomic.store<i32>(DONE, 0);
  const generation = (atomic.load<i32>(GENERATION) + 1) & 0x3fffffff;
  const high = (<u64>(generation & 0xfffff)) << 40;
  const threads = load<i32>(THREADS);
  for (let thread = 0; thread < threads; thread++) {
    const begin = <u64>firstOf(thread, threads, tasks);
    const end = <u64>firstOf(thread + 1, threads, tasks);
    atomic.store<u64>(COUNTERS + <usize>thread * COUNTER_SIZE, high | (end << 20) | begin);
  }
  atomic.store<i32>(GENERATION, generation);
  if (atomic.load<i32>(SLEEPING) > 0) atomic.notify(GENERATION, -1);
}

/**
 * Takes tasks of a job until none is left, and waits for its end.
 *
 * @param tasks of the whole job
 * @param spin how often the end is looked for before the caller sleeps
 * @param patience seconds without progress after which a caller that sleeps gives up; at 0 it does not sleep, as a page's own thread must not
 * @returns 0, or 1 where a worker failed, or 2 where one has made no progress for so long
 */
export function finish(tasks: i32, spin: i32, patience: i32): i32 {
  drain(0);
  const done = lookForEnd(tasks, spin);
  if (done < 0) return 1;
  return done >= tasks ? 0 : sleepUntilDone(tasks, patience);
}

/**
 * Looks `turns` times whether a job of `tasks` tasks has come to its end.
 *
 * @returns the tasks that are done, -1 where a worker failed
 */
export function lookForEnd(tasks: i32, turns: i32): i32 {
  let done = atomic.load<i32>(DONE);
  for (let s = turns; done < tasks && s > 0; s--) {
    done = atomic.load<i32>(DONE);
    if (atomic.load<i32>(FAILED)) return -1;
  }
  return done;
}

function sleepUntilDone(tasks: i32, patience: i32): i32 {
  let done = atomic.load<i32>(DONE);
  let idleSeconds = 0;
  atomic.store<i32>(CALLER_SLEEPING, 1);
  while (done < tasks && !atomic.load<i32>(FAILED) && idleSeconds < patience) {
    atomic.wait<i32>(DONE, done, 1_000_000_000);
    const now = atomic.load<i32>(DONE);
    idleSeconds = now === done ? idleSeconds + 1 : 0;
    done = now;
  }
  atomic.store<i32>(CALLER_SLEEPING, 0);
  if (atomic.load<i32>(FAILED)) return 1;
  return done < tasks ? 2 : 0;
}

/**
 * Waits in a worker until a job newer than `seen` is open: looks `spin` times, then sleeps.
 *
 * The worker's loop around this is JavaScript, so that optimised code takes effect at the next call.
 *
 * @returns the job's generation, -1 where the worker shall end
 */
export function waitForJob(seen: i32, spin: i32): i32 {
  let generation = lookOut(seen, spin);
  if (generation === seen) {
    atomic.add<i32>(SLEEPING, 1);
    atomic.wait<i32>(GENERATION, seen, -1);
    atomic.sub<i32>(SLEEPING, 1);
    generation = atomic.load<i32>(GENERATION);
  }
  return generation;
}

/** Looks `turns` times whether the generation has changed: for measuring how long that takes. */
export function lookOut(seen: i32, turns: i32): i32 {
  let generation = atomic.load<i32>(GENERATION);
  for (let s = turns; generation === seen && s > 0; s--) generation = atomic.load<i32>(GENERATION);
  return generation;
}

/** Ends all workers. */
export function endWorkers(): void {
  atomic.store<i32>(GENERATION, -1);
  atomic.notify(GENERATION, -1);
}

/** Says from a worker that its task failed. */
export function reportFailure(): void {
  atomic.store<i32>(FAILED, 1);
  atomic.notify(DONE, 1);
}
