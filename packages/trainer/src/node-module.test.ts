import { createHash } from 'node:crypto';
import { afterEach, expect, it, vi } from 'vitest';
import { nodeModule } from './node-module.ts';

afterEach(() => vi.unstubAllGlobals());

it("gives Node's own modules", () => {
  expect(nodeModule('node:crypto').createHash).toBe(createHash);
});

it('says where there is none what needs it, once it is called', () => {
  vi.stubGlobal('process', undefined); // as in a page
  const { join } = nodeModule('node:path');
  expect(() => join('a', 'b')).toThrowErrorMatchingInlineSnapshot(
    `[Error: trainer: run folders, checkpoints and logs need Node's node:path, which is not here. Leave \`run\` out and keep the state of \`trainer.snapshot()\`.]`,
  );
});
