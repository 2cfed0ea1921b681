import { expect, it } from 'vitest';
import { configRows } from './config-rows.ts';

it('flattens a configuration, keeps lists in one row', () => {
  const config = { seed: 0, head: { hidden: 256, deep: { on: true } }, crop: [0.08, 1], of: [{ a: 1 }], name: null };
  expect(configRows(config)).toEqual([
    ['seed', '0'],
    ['head.hidden', '256'],
    ['head.deep.on', 'true'],
    ['crop', '0.08, 1'],
    ['of', '{"a":1}'],
    ['name', 'null'],
  ]);
});
