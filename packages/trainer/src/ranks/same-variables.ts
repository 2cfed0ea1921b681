import { showRanks, type World } from '@tfjs-ssl/ops';
import type { NamedVariables } from '../types.ts';

/**
 * Checks that variables hold the same bits on all ranks. Every rank sends 64 bits for each variable.
 *
 * @param advice - what may be done about a difference.
 * @throws Error on all ranks that names the ranks and variables that differ from those of the first rank.
 */
export async function checkSameVariables(
  world: World,
  variables: NamedVariables,
  advice = 'The loss must compute buffers of values that all ranks share (see gatherViews).',
): Promise<void> {
  const entries = Object.entries(variables);
  const own = new Int32Array(2 * entries.length);
  // one after another, so that one copy at a time takes memory
  for (const [i, [, variable]] of entries.entries()) own.set(digest(await variable.data<'float32' | 'int32'>()), 2 * i);
  const all = new Int32Array(own.length * world.size);
  world.allGather(own, all);
  const [ranks, names] = [new Set<number>(), new Set<string>()];
  for (const [i, value] of all.entries()) {
    const place = i % own.length;
    if (value === all[place]) continue;
    ranks.add(Math.floor(i / own.length));
    names.add((entries[place >> 1] as [string, unknown])[0]);
  }
  if (ranks.size === 0) return;
  const shown = [...names].slice(0, 5).join(', ') + (names.size > 5 ? ` and ${names.size - 5} more` : '');
  throw new Error(
    `Trainer: all ranks must hold the same weights, got others than those of rank 0 on ${showRanks(ranks)}: ${shown}. ` +
      `${advice} Resume from the last checkpoint.`,
  );
}

/** Two numbers that change with any bit: multiplicative hashes of the words, read in both directions. */
function digest(values: Float32Array | Int32Array): [number, number] {
  const words = new Int32Array(values.buffer, values.byteOffset, values.length);
  let [first, second] = [0x811c9dc5 | 0, 0x2545f491];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as number;
    first = Math.imul(first ^ word, 0x01000193);
    first ^= first >>> 15; // a difference in a high bit must reach the low ones
    second = Math.imul(second + word, 0x9e3779b1);
    second ^= second >>> 13;
  }
  return [first, second];
}
