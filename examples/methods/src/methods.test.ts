import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Measured } from './measure.ts';
import { readOptions } from './options.ts';
import { methods } from './registry.ts';
import { interval, linesOf, tableOf } from './table.ts';

const files = Object.keys(methods).filter((name) => name !== 'untrained');
const textOf = (name: string) => readFileSync(new URL(`./${name}.ts`, import.meta.url), 'utf8');

it.each(files)('%s is a complete training of at most 45 lines that says how it differs from its paper', (name) => {
  const text = textOf(name);
  expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(45);
  expect(text).toMatch(/^\/\/ .*\n\/\/ .* 20\d\d, ".*"\.\n/);
  expect(text).toContain('// Differs from the paper');
  expect(text).toContain('trainer.fit({ epochs, ...feed })');
  expect(linesOf(name)).toBeGreaterThan(20);
});

it('gives the mean and the 95 % interval of few values', () => {
  expect(interval([0.5])).toEqual({ mean: 0.5, half: null });
  // t(0.975, 2) = 4.303, deviation 0.1, root of 3
  const { mean, half } = interval([0.3, 0.4, 0.5]);
  expect([mean, half]).toEqual([expect.closeTo(0.4, 12), expect.closeTo((4.303 * 0.1) / Math.sqrt(3), 12)]);
});

it('writes a row for each method', () => {
  const run = (method: string, seed: number, more: Partial<Measured> = {}): Measured => ({
    ...{ method, seed, engine: 'simd', knn: 0.2 + 0.1 * seed, linear: 0.5, effectiveRank: 12.34, deviation: 0.1 },
    ...{ loss: { first: 2, last: 1 }, steps: 100, seconds: 20 + seed, megabytes: 300, ...more },
  });
  const untrained = run('untrained', 0, { loss: null, steps: 0, seconds: 0 });
  expect(tableOf([untrained, run('simclr', 0), run('simclr', 1)]).replace(/\d+ \|\n$/, 'N |\n')).toMatchInlineSnapshot(`
    "| method | kNN, % | linear, % | effective rank | seconds | ms a step | memory, MB | lines |
    | --- | --: | --: | --: | --: | --: | --: | --: |
    | untrained | 20.0 | 50.0 | 12.3 |  |  | 300 |  |
    | simclr | 25.0 ± 63.5 | 50.0 ± 0.0 | 12.3 | 21 | 205 | 300 | N |
    "
  `);
});

it('reads its options, and says what is wrong with them', async () => {
  const read = (...args: string[]) => readOptions(args, async () => null);
  expect(await read('--help')).toBeNull();
  expect(await read('byol', '--epochs', '2')).toMatchObject({ names: ['byol'], epochs: 2, seeds: 3, data: null });
  expect((await read('--all'))?.names).toEqual(Object.keys(methods));
  expect(await readOptions(['moco'], async () => 'found')).toMatchObject({ data: 'found' });
  expect(await readOptions(['moco', '--generated'], async () => 'found')).toMatchObject({ data: null });
  await expect(read()).rejects.toThrowErrorMatchingInlineSnapshot(`[Error: Name a method, or pass --all.]`);
  await expect(read('simclr2')).rejects.toThrowErrorMatchingInlineSnapshot(
    `[Error: There is no method simclr2. There are untrained, simclr, dcl, supcon, moco, byol, simsiam, barlow-twins, vicreg, swav, dino.]`,
  );
  await expect(read('moco', '--epochs', '0')).rejects.toThrowErrorMatchingInlineSnapshot(
    `[Error: --epochs must be an integer of at least 1, got 0.]`,
  );
  await expect(read('moco', '--speed', '1')).rejects.toThrow(/--speed/);
});
