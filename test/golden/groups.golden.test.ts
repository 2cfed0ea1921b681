import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { groupNames, unknownCase } from './harness.ts';
import { treatLoss } from './loss-cases.ts';

const tested = readdirSync(import.meta.dirname).flatMap((name) => /^(\w+)\.golden\.test\.ts$/.exec(name)?.[1] ?? []);

describe('golden groups', () => {
  it('are there, and each has its tests', () => {
    expect(groupNames().length).toBeGreaterThan(0);
    expect(tested).toEqual(expect.arrayContaining(groupNames()));
  });

  it('fail with the name of a formula that no test knows', () => {
    const golden = { id: 'losses/1', formula: 'triplet', params: {}, inputs: {}, expected: {} };
    expect(treatLoss(golden)).toBeUndefined();
    expect(unknownCase(golden).message).toBe("golden: no test knows the formula 'triplet' of losses/1.");
  });
});
