import type { RankTeam } from './ranks/rank-team.ts';

/** Whether a run is to end before its time. */
export interface Interruption {
  /** Looks anew; ranks do so together and come to one answer, so that none waits for a step that another has left out. */
  check(): boolean;
  /** The last answer; alone, whether the signal says so now. */
  readonly asked: boolean;
}

export function interruption(signal: AbortSignal | undefined, ranks: RankTeam | null): Interruption {
  const aborted = (): boolean => signal?.aborted ?? false;
  if (!ranks)
    return {
      check: aborted,
      get asked() {
        return aborted();
      },
    };
  let asked = false;
  return {
    check() {
      asked = ranks.any(aborted());
      return asked;
    },
    get asked() {
      return asked;
    },
  };
}
