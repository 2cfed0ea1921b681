import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ssl from '@tfjs-ssl/all';
import { disposeVariables } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { compare } from './compare.ts';
import type { Measured } from './measure.ts';
import { type Options, readOptions } from './options.ts';
import { methods } from './registry.ts';
import { cellsOf, columns, interval, linesOf, markdown } from './table.ts';

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

it.each(files)('%s trains on generated images', { timeout: 30_000 }, async (name) => {
  await ssl.startEngine('simd');
  const { train } = await (methods[name] as NonNullable<(typeof methods)[string]>)();
  const images = ssl.generatedImages({ classes: 2, imagesPerClass: 8, size: 32 });
  const losses: number[] = [];
  const onEvent = (event: ssl.FitEvent) => {
    if (event.type === 'step') losses.push(event.loss);
  };
  const encoder = await train({ images, size: 32, batchSize: 8, epochs: 2, seed: 1, onEvent });
  expect(losses).toHaveLength(4);
  expect(losses.every(Number.isFinite)).toBe(true);
  const untrained = ssl.resnet18({ inputShape: [32, 32, 3], width: 16, seed: 1 });
  const values = (model: ssl.TypedModel) => model.getWeights().map((weight) => weight.dataSync());
  const [before, after] = [values(untrained), values(encoder)];
  expect(after.filter((value, i) => value.every((x, j) => x === before[i]?.[j]))).toEqual([]);
  disposeVariables();
});

it('gives the mean and the 95 % interval of few values', () => {
  expect(interval([0.5])).toEqual({ mean: 0.5, half: null });
  // t(0.975, 2) = 4.303, deviation 0.1, root of 3
  const { mean, half } = interval([0.3, 0.4, 0.5]);
  expect([mean, half]).toEqual([expect.closeTo(0.4, 12), expect.closeTo((4.303 * 0.1) / Math.sqrt(3), 12)]);
});

it('writes a row for each method', () => {
  const run = (method: string, seed: number, more: Partial<Measured> = {}): Measured => ({
    ...{
      method,
      seed,
      engine: 'simd',
      device: 'this',
      data: 'generated',
      knn: 0.2 + 0.1 * seed,
      linear: 0.5,
      effectiveRank: 12.34,
      deviation: 0.1,
    },
    ...{ loss: { first: 2, last: 1 }, steps: 100, seconds: 20 + seed, megabytes: 300, ...more },
  });
  const untrained = run('untrained', 0, { loss: null, steps: 0, seconds: 0 });
  const rows = cellsOf([untrained, run('simclr', 0), run('simclr', 1)]);
  expect(rows[1]?.slice(-2)).toEqual([`${linesOf('simclr')}`, '49']);
  expect(
    markdown(
      columns,
      rows.map((row) => row.slice(0, -2)),
    ),
  ).toMatchInlineSnapshot(`
    "| method | kNN, % | linear, % | effective rank | seconds | ms a step | memory, MB | lines | lightly's lines |
    | --- | --: | --: | --: | --: | --: | --: | --: | --: |
    | untrained | 20.0 | 50.0 | 12.3 |  |  | 300 |
    | simclr | 25.0 ± 63.5 | 50.0 ± 0.0 | 12.3 | 21 | 205 | 300 |
    "
  `);
});

it('reads its options, and says what is wrong with them', async () => {
  const read = (...args: string[]) => readOptions(args, async () => null);
  expect(await read('--help')).toBeNull();
  expect(await read('byol', '--epochs', '2')).toMatchObject({ names: ['byol'], epochs: 2, seeds: 3, data: null });
  expect(await read('byol')).toMatchObject({ jobs: 1, only: null, threads: null });
  expect(await read('byol', '--jobs', '2', '--only', '1', '--threads', '4')).toMatchObject({
    jobs: 2,
    only: 1,
    threads: 4,
  });
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
  await expect(read('moco', '--threads', 'two')).rejects.toThrow(
    '--threads must be an integer of at least 1, got two.',
  );
  await expect(read('moco', '--only', '-1')).rejects.toThrow(/--only/);
  await expect(read('moco', '--speed', '1')).rejects.toThrow(/--speed/);
});

it('does not add results to those of other images', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tfjs-ssl-methods-'));
  const out = join(folder, 'results.json');
  const options = (await readOptions(['simclr', '--generated', '--out', out], async () => null)) as Options;
  const { classes, imagesPerClass, size, batchSize, epochs } = options;
  const setting = { images: 'given', classes, imagesPerClass, size, batchSize, epochs };
  writeFileSync(out, JSON.stringify({ setting, runs: [] }));
  for (const data of [null, '/images/other.zip']) {
    await expect(compare({ ...options, data }, 'none.js')).rejects.toThrow(
      '--out must name a new file or one with the same setting',
    );
  }
  rmSync(folder, { recursive: true });
});
