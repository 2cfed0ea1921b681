import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { groupNames, readGroup } from './harness.ts';

const tested = readdirSync(import.meta.dirname).flatMap((name) => /^(\w+)\.golden\.test\.ts$/.exec(name)?.[1] ?? []);

describe('golden groups', () => {
  it('are there', () => {
    expect(groupNames().length).toBeGreaterThan(0);
  });

  for (const name of groupNames().filter((group) => !tested.includes(group))) {
    const cases = readGroup(name)?.cases.map(({ id }) => id) ?? [];
    console.log(
      `golden ${name}: ${cases.length} cases not implemented yet (no test knows the group): ${cases.join(', ')}`,
    );
    it.skip(`${name}: ${cases.length} cases of a group that is not implemented yet`);
  }
});
