import { createHash } from 'node:crypto';
import { afterEach, expect, it, vi } from 'vitest';
import { neededNodeModule, nodeModule } from './node-module.ts';

afterEach(() => vi.unstubAllGlobals());

const need = 'readWeights: a path needs Node. Pass bytes instead.';

it("gives Node's own modules", () => {
  expect(nodeModule('node:crypto')?.createHash).toBe(createHash);
  expect(neededNodeModule('node:crypto', need).createHash).toBe(createHash);
});

it('gives none where there is none', () => {
  vi.stubGlobal('process', undefined); // as in a page
  expect(nodeModule('node:path')).toBeUndefined();
});

it('says where there is none what needs it, once it is called', () => {
  vi.stubGlobal('process', undefined);
  const { join } = neededNodeModule('node:path', need);
  expect(() => join('a', 'b')).toThrowErrorMatchingInlineSnapshot(
    `[Error: readWeights: a path needs Node. Pass bytes instead.]`,
  );
});
