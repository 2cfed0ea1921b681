import { describe, expect, it } from 'vitest';
import { inTurns } from './turns.ts';

describe('inTurns', () => {
  it('lets another contestant begin each round', async () => {
    const order: string[] = [];
    const contestant = (name: string, seconds: number) => ({
      name,
      round: async () => {
        order.push(name);
        return seconds;
      },
    });
    const rounds: number[] = [];
    const seconds = await inTurns([contestant('a', 1), contestant('b', 2), contestant('c', 3)], {
      rounds: 4,
      pause: 0,
      afterRound: (round) => {
        rounds.push(round);
      },
    });
    expect(order.join('')).toBe('abcbcacababc');
    expect(rounds).toEqual([0, 1, 2, 3]);
    expect([...seconds]).toEqual([
      ['a', [1, 1, 1, 1]],
      ['b', [2, 2, 2, 2]],
      ['c', [3, 3, 3, 3]],
    ]);
  });
});
