import type { Chain } from './compose.ts';
import { type Member, placeColumns } from './members.ts';
import type { Transform } from './transform.ts';

/** Views that are made together: all transforms of their chains in one sequence, of which each view leaves out what its chain does not have. */
export interface MergedViews {
  readonly transforms: readonly Transform[];
  /** Of each view. */
  readonly views: readonly MergedView[];
}

/** A view of {@link MergedViews}. */
export interface MergedView {
  /** The transforms of its own chain, in the columns of the sequence. */
  readonly members: readonly Member[];
  /** What it leaves out. */
  readonly skipped: readonly Member[];
}

/**
 * Puts the chains of views into as few sequences as possible. Neighbours share one where their transforms can: those that change the size of an
 * image must then be the same, since they cannot be left out.
 */
export function mergeChains(chains: readonly Chain[]): MergedViews[] {
  const groups: Array<{ transforms: readonly Transform[]; chains: Chain[] }> = [];
  for (const chain of chains) {
    const last = groups.at(-1);
    const merged = last && mergeTransforms(last.transforms, chain.transforms);
    if (last && merged) {
      last.transforms = merged;
      last.chains.push(chain);
    } else groups.push({ transforms: chain.transforms, chains: [chain] });
  }
  return groups.map((group) => {
    const members = placeColumns(group.transforms);
    return { transforms: group.transforms, views: group.chains.map((chain) => placeView(members, chain)) };
  });
}

function placeView(members: readonly Member[], { transforms }: Chain): MergedView {
  const own: Member[] = [];
  const skipped: Member[] = [];
  for (const member of members) {
    const next = transforms[own.length];
    if (next && alike(next, member.transform)) own.push({ ...member, transform: next });
    else skipped.push(member);
  }
  return { members: own, skipped };
}

/** The shortest sequence that has both in it, or null where a transform that must be applied would have to be left out. */
function mergeTransforms(a: readonly Transform[], b: readonly Transform[]): Transform[] | null {
  const shared = sharedWeights(a, b);
  const merged: Transform[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [x, y] = [a[i], b[j]];
    if (x && y && alike(x, y) && shared(i, j) === weight(x) + shared(i + 1, j + 1)) {
      merged.push(x);
      i++;
      j++;
      continue;
    }
    const fromA = x !== undefined && (y === undefined || shared(i + 1, j) >= shared(i, j + 1));
    const alone = (fromA ? x : y) as Transform;
    if (alone.skipped === null) return null;
    merged.push(alone);
    if (fromA) i++;
    else j++;
  }
  return merged;
}

/** Weight of what the rest of one list, from i on, can at most share with the rest of the other, from j on, in this order. */
function sharedWeights(a: readonly Transform[], b: readonly Transform[]): (i: number, j: number) => number {
  const best = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  const at = (i: number, j: number): number => (best[i] as number[])[j] as number;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const [x, y] = [a[i] as Transform, b[j] as Transform];
      const together = alike(x, y) ? weight(x) + at(i + 1, j + 1) : 0;
      (best[i] as number[])[j] = Math.max(together, at(i + 1, j), at(i, j + 1));
    }
  }
  return at;
}

/** What cannot be left out counts for more than all the rest. */
const weight = ({ skipped }: Transform): number => (skipped === null ? 1e6 : 1);

/** Whether two transforms do the same with the same numbers; how they draw these may differ. */
function alike(x: Transform, y: Transform): boolean {
  if (x === y) return true;
  if (x.stages === null || y.stages === null) return false;
  return x.columns.join() === y.columns.join() && JSON.stringify(x.stages) === JSON.stringify(y.stages);
}
