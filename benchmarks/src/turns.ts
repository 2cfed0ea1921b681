import { setTimeout as sleep } from 'node:timers/promises';

/** Something that is measured against others. */
export interface Contestant {
  readonly name: string;
  /** Does its work once and returns the seconds it took. */
  round(): Promise<number>;
}

/**
 * Lets contestants work in turns, so that whatever changes on the machine meanwhile (clock, temperature, other programs)
 * meets all of them alike.
 *
 * @param contestants - those who take turns; each round another one begins.
 * @param options - `rounds` each; `pause` in milliseconds after each turn, in which idle threads go to sleep; `afterRound`.
 * @returns the seconds of every round by name.
 */
export async function inTurns(
  contestants: readonly Contestant[],
  options: { rounds: number; pause?: number; afterRound?: (round: number) => void | Promise<void> },
): Promise<Map<string, number[]>> {
  const seconds = new Map(contestants.map(({ name }) => [name, [] as number[]]));
  for (let round = 0; round < options.rounds; round++) {
    for (let turn = 0; turn < contestants.length; turn++) {
      const contestant = contestants[(round + turn) % contestants.length]!;
      seconds.get(contestant.name)!.push(await contestant.round());
      await sleep(options.pause ?? 100);
    }
    await options.afterRound?.(round);
  }
  return seconds;
}
