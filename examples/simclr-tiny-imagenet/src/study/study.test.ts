import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { folder, json, useFolder } from '../../test-support/call-program.ts';
import { openJob } from '../ranks/job.ts';
import { study } from './study.ts';

useFolder();

const tiny = {
  title: 'Two temperatures',
  settings: {
    ...{ classes: 2, imagesPerClass: 8, batchSize: 4, epochs: 1, imageSize: 32 },
    encoder: { width: 2 },
  },
  factors: { temperature: [0.1, 0.5] },
  seeds: [0, 1],
};

/** Calls the program; `stopAfter` is a text upon which it is interrupted. */
async function call(args: string[], stopAfter?: string) {
  const controller = new AbortController();
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({
    write: (text: string) => {
      written[name] += text;
      if (stopAfter !== undefined && text.includes(stopAfter)) controller.abort();
    },
  });
  const code = await study(
    args,
    { stdout: stream('stdout'), stderr: stream('stderr') },
    controller.signal,
    await openJob(),
  );
  return { code, ...written, stderr: written.stderr.replaceAll(folder, 'FOLDER') };
}

function file(content: object = tiny): string {
  const path = join(folder, 'tiny.json');
  writeFileSync(path, JSON.stringify(content));
  return path;
}

/** What must not depend on interruptions: everything but times. */
function numbers(path: string): unknown {
  const { cells, effects, runs } = json(join(path, 'study.json'));
  const timeless = (items: Array<{ seconds?: unknown }>) => items.map(({ seconds: _, ...others }) => others);
  return { cells: timeless(cells), effects, runs: timeless(runs) };
}

describe('a study', () => {
  it('runs all cells and seeds, and leaves tables and a page; interrupted, it ends with the same numbers', async () => {
    const [whole, broken] = [join(folder, 'whole'), join(folder, 'broken')];
    const { code, stdout, stderr } = await call([file(), '--engine', 'simd', '--out', whole]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^\[4\/4\] temperature 0\.5, seed 1: kNN \d+\.\d % on generated images, loss \d\.\d{3}$/m);
    expect(stdout).toMatch(/^temperature: 0\.5 instead of 0\.1 +2 +[+-]/m);
    expect(readdirSync(join(whole, 'runs'))).toHaveLength(4);
    const results = json(join(whole, 'study.json'));
    expect(results).toMatchObject({ planned: 4, done: 4, failed: [], measures: ['knn', 'top1', 'loss'] });
    const [first] = results.cells;
    const byHand = [0, 1].map((seed) => json(join(whole, 'runs', `temperature-0.1-seed-${seed}`, 'summary.json')));
    expect(first.values.loss.mean).toBeCloseTo((byHand[0].loss.last + byHand[1].loss.last) / 2, 12);
    expect(first.parameters).toEqual(byHand[0].parameters);
    expect(readFileSync(join(whole, 'runs.csv'), 'utf8').trim().split('\n')).toHaveLength(5);
    const page = readFileSync(join(whole, 'study.html'), 'utf8');
    expect(page).toContain('4 of 4 runs done');
    expect(page).toContain('Effects on kNN top-1');

    const stopped = await call([file(), '--engine', 'simd', '--out', broken], '[2/4]');
    expect(stopped.code).toBe(130);
    expect(stopped.stdout).toContain('Stopped at [3/4] temperature 0.1, seed 1. Nothing is lost');
    expect(json(join(broken, 'study.json'))).toMatchObject({ planned: 4, done: 2 });
    const tensors = tf.memory().numTensors;
    const rest = await call([file(), '--engine', 'simd', '--out', broken]);
    expect(rest.code).toBe(0);
    expect(rest.stdout).toContain('2 of them were done before.');
    expect(tf.memory().numTensors).toBe(tensors);
    expect(numbers(broken)).toEqual(numbers(whole));

    const again = await call([file(), '--engine', 'simd', '--out', broken]);
    expect(again.stdout).not.toContain('[1/4]');
    const changed = await call([file(), '--epochs', '2', '--out', broken]);
    expect(changed.code).toBe(2);
    expect(changed.stderr).toMatchInlineSnapshot(`
      "The study in FOLDER/broken was begun with other settings, got differences in temperature-0.1-seed-0:
        epochs: 1 → 2
      Use the same file and options, or name another folder: --out FOLDER
      "
    `);
  });

  it('keeps a run that diverges as a result, and tells so', async () => {
    const rates = { ...tiny, factors: { 'optimizer.learningRate': [1e-3, 1e30] }, seeds: [0] };
    const out = join(folder, 'out');
    const { code, stdout } = await call([file(rates), '--engine', 'simd', '--out', out]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^Failed: optimizer\.learningRate 1e\+30, seed 0: .*the loss of step \d+ is NaN/m);
    expect(json(join(out, 'study.json'))).toMatchObject({ planned: 2, done: 1, failed: [{ seed: 0 }] });
    expect((await call([file(rates), '--out', out])).stdout).toContain('2 of them were done before.');
  });

  it('ends with the error of a run that is no divergence, and goes on once it is mended', async () => {
    const out = join(folder, 'out');
    const rest = { ...tiny, seeds: [0] };
    const model = join(out, 'runs', 'temperature-0.5-seed-0', 'model.safetensors');
    mkdirSync(model, { recursive: true });
    const { code, stdout, stderr } = await call([file(rest), '--engine', 'simd', '--out', out]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^\[1\/2\]/m);
    expect(stderr).toContain('model.safetensors');
    expect(json(join(out, 'study.json'))).toMatchObject({ done: 1, failed: [] });
    rmSync(model, { recursive: true });
    const mended = await call([file(rest), '--engine', 'simd', '--out', out]);
    expect({ code: mended.code, ...json(join(out, 'study.json')) }).toMatchObject({ code: 0, done: 2, failed: [] });
  });

  it('keeps to images of one kind', async () => {
    const out = join(folder, 'out');
    await call([file(), '--engine', 'simd', '--out', out], '[1/4]');
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
      'base64',
    );
    for (const [data, label] of ['one', 'other'].flatMap((data) => ['a', 'b'].map((label) => [data, label] as const))) {
      mkdirSync(join(folder, data, label), { recursive: true });
      for (let i = 0; i < 20; i++) writeFileSync(join(folder, data, label, `${i}.png`), png);
    }
    const refusal = async (data: string) =>
      (await call([file(), '--engine', 'simd', '--data', join(folder, data), '--out', out])).stderr;
    expect(await refusal('one')).toMatchInlineSnapshot(`
      "The study in FOLDER/out was begun with other settings, got differences in temperature-0.1-seed-0:
        images: "generated" → "FOLDER/one"
      Use the same file and options, or name another folder: --out FOLDER
      "
    `);
    rmSync(out, { recursive: true });
    const begun = ['--engine', 'simd', '--data', join(folder, 'one'), '--out', out];
    expect(
      (
        await call(
          [file({ ...tiny, settings: { ...tiny.settings, classes: undefined, imagesPerClass: undefined } }), ...begun],
          '[1/4]',
        )
      ).stdout,
    ).toMatch(/% on a folder of images, loss/);
    expect(await refusal('other')).toMatchInlineSnapshot(`
      "The study in FOLDER/out was begun with other settings, got differences in temperature-0.1-seed-0:
        images: "FOLDER/one" → "FOLDER/other"
      Use the same file and options, or name another folder: --out FOLDER
      "
    `);
  });

  it('refuses what it does not take', async () => {
    expect((await call(['--engine', 'simd'])).stderr).toMatchInlineSnapshot(`
      "The study comes first, got --engine. Run with --help for an example.
      "
    `);
    expect((await call([file(), '--dry-run'])).stderr).toMatchInlineSnapshot(`
      "A study does not take --dry-run. Run with --help for what it takes.
      "
    `);
    expect((await call([file(), '--seed', '3'])).stderr).toMatchInlineSnapshot(`
      "The seeds of a study are in its file. Leave --seed out.
      "
    `);
    expect(existsSync(join(folder, 'studies'))).toBe(false);
    expect((await call(['--help'])).stdout).toContain('npm run study -- ablation|recipe');
  });
});
