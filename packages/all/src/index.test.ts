import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as all from './index.ts';

const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

it('has every export of the blocks', async () => {
  const exported: Record<string, unknown> = all;
  const names = Object.keys(dependencies).filter((name) => name !== '@tfjs-ssl/engine-simd'); // it is found at run time
  expect(names).toHaveLength(11);
  for (const name of names) {
    const block: Record<string, unknown> = await import(name);
    for (const [key, value] of Object.entries(block)) expect([name, key, exported[key]]).toEqual([name, key, value]);
  }
});
