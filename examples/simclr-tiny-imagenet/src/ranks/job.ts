import { type Mpi, openMpi } from '@tfjs-ssl/mpi';
import { gatherValues } from '@tfjs-ssl/ops';
import { type Places, placesOf } from './places.ts';

/** The processes that make one run together; alone, a job of one rank. */
export interface Job {
  readonly world: Mpi;
  /** Whether this is the rank that prints and writes. */
  readonly leads: boolean;
  /** Waits for all ranks, and leaves the processors to those that work. */
  meet(): Promise<void>;
  /** What the first rank has made, on all ranks; the others do not call `make`. It must be fit for JSON. */
  fromLeader<Value>(make: () => Promise<Value>): Promise<Value>;
  /** Where the ranks run. */
  places(): Places;
  /** Does the same on all ranks, so that the first of all, and of each host, leaves the others what is kept on disk: a download, a cache. */
  inTurn<Result>(places: Places, work: () => Promise<Result>): Promise<Result>;
}

/** Takes this process's place in the job that its launcher has started. */
export async function openJob(): Promise<Job> {
  const world = await openMpi();
  const meet = () => world.async.barrier();
  return {
    world,
    leads: world.rank === 0,
    meet,
    async fromLeader(make) {
      const own = world.rank === 0 ? await make() : null;
      if (world.size === 1) return own as Awaited<ReturnType<typeof make>>;
      await meet();
      return gatherValues(world, own)[0] as Awaited<ReturnType<typeof make>>;
    },
    places: () => placesOf(world),
    async inTurn({ turn }, work) {
      if (world.size === 1) return work();
      let result: Awaited<ReturnType<typeof work>> | undefined;
      for (const now of [0, 1, 2]) {
        if (now === turn) result = await work();
        await meet();
      }
      return result as Awaited<ReturnType<typeof work>>;
    },
  };
}

/** Milliseconds that the first rank has to end the job with its message, before another rank does so with the same one. */
const precedence = 3000;

/**
 * Ends the job because this rank has failed.
 *
 * If all ranks fail alike, the first one's message is the only one.
 */
export async function endJob({ world }: Job, message: string, code: number): Promise<never> {
  if (world.rank !== 0) await new Promise((resolve) => setTimeout(resolve, precedence));
  return world.abort(message, code);
}
