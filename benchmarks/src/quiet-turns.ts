import type { Log } from './bench.ts';
import type { Quietness, QuietWatch } from './quiet.ts';
import { type Contestant, inTurns } from './turns.ts';

/**
 * Lets contestants work in turns, and watches during and after every round whether the machine is quiet.
 *
 * @returns the seconds of every round by name, and whether they can be trusted.
 */
export async function quietTurns(
  contestants: readonly Contestant[],
  { watch, rounds, log }: { readonly watch: QuietWatch; readonly rounds: number; readonly log: Log },
): Promise<{ readonly seconds: Map<string, number[]>; readonly quietness: Quietness }> {
  const seconds = await inTurns(contestants, {
    rounds,
    afterRound: async (round) => {
      watch.lap();
      log(`round ${round + 1} of ${rounds}`);
      await watch.look();
    },
  });
  return { seconds, quietness: watch.verdict(seconds) };
}
