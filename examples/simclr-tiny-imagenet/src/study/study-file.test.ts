import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { planStudy } from './plan.ts';
import { readStudy } from './study-file.ts';

const good = { factors: { temperature: [0.1, 0.2] }, seeds: [0, 1] };

function refusal(content: object, given: Record<string, unknown> = {}): string {
  const path = join(mkdtempSync(join(tmpdir(), 'study-')), 'study.json');
  writeFileSync(path, JSON.stringify(content));
  try {
    planStudy(readStudy(path), given);
  } catch (error) {
    return (error as Error).message.replaceAll(path, 'STUDY');
  }
  throw new Error('nothing was thrown');
}

describe('the studies that come with the example', () => {
  it('ablation: four cells that differ in solarize and head alone, five seeds', () => {
    const plan = planStudy(readStudy('ablation'), {});
    expect(plan.cells.map(({ name }) => name)).toEqual([
      'solarize off, head wide',
      'solarize off, head slim',
      'solarize 0.2, head wide',
      'solarize 0.2, head slim',
    ]);
    expect(plan.runs).toHaveLength(20);
    expect(plan.runs[0]?.folder).toBe('solarize-off,-head-wide-seed-0');
    expect(new Set(plan.runs.map(({ settings }) => settings.imageSeed))).toEqual(new Set([0]));
    const full = planStudy(readStudy('ablation'), { scale: 'full' });
    expect(full.cells.map(({ settings: { epochs, classes, encoder } }) => [epochs, classes, encoder.width])).toEqual(
      Array.from({ length: 4 }, () => [50, 200, 64]),
    );
  });

  it('recipe: single changes to the paper and all together, at both scales', () => {
    for (const scale of ['quick', 'full']) {
      const { cells, runs } = planStudy(readStudy('recipe'), { scale });
      expect(cells.map(({ name }) => name)).toEqual([
        'reference',
        'schedule cosine with warm-up',
        'optimizer.learningRate 0.001',
        'optimizer.learningRate 0.002',
        'optimizer.weightDecay 0.000001',
        'temperature 0.1',
        'temperature 0.2',
        'temperature 0.5',
        'augmentation.blurProbability 0.5',
        'augmentation.blurProbability 0',
        'crop from 0.2',
        'jitter half',
        'normalization imagenet',
        'loss dcl',
        'all',
        'everything',
        'recommended',
      ]);
      expect(runs).toHaveLength(51);
    }
  });
});

describe('readStudy and planStudy', () => {
  it('refuse what they cannot run, in one message', () => {
    expect(() => readStudy('/nowhere')).toThrowErrorMatchingInlineSnapshot(
      `[UsageError: The study /nowhere cannot be read: ENOENT: no such file or directory, open '/nowhere'. Name a JSON file, or one of ablation, recipe.]`,
    );
    expect(refusal({ ...good, sedes: [1] })).toMatchInlineSnapshot(
      `"STUDY: a study has no 'sedes'. Did you mean seeds? It has title, settings, quick, full, factors, design, together, seeds, evaluate."`,
    );
    expect(refusal({ ...good, seeds: [0, 0] })).toMatchInlineSnapshot(
      `"STUDY: seeds must be a list of different integers of at least 0, got [0, 0]."`,
    );
    expect(refusal({ ...good, seeds: 5 })).toMatchInlineSnapshot(
      `"STUDY: seeds must be a list of different integers of at least 0, got 5."`,
    );
    expect(refusal({ ...good, design: 'all' })).toMatchInlineSnapshot(
      `"STUDY: design must be 'grid' or 'one at a time', got 'all'."`,
    );
    expect(refusal({ ...good, settings: { temprature: 1 } })).toMatchInlineSnapshot(
      `"STUDY: settings: There is no setting 'temprature'. Did you mean temperature?"`,
    );
    expect(refusal({ ...good, settings: { seed: 1 } })).toMatchInlineSnapshot(
      `"STUDY: settings: the seeds of a study are its seeds. Take seed out."`,
    );
    expect(refusal({ ...good, factors: {} })).toMatchInlineSnapshot(
      `"STUDY: factors must hold at least one factor with its levels, got an object (Object)."`,
    );
    expect(refusal({ ...good, factors: { temperature: [0.1] } })).toMatchInlineSnapshot(
      `"STUDY: factors: temperature must have at least two levels, got 1."`,
    );
    expect(refusal({ ...good, factors: { x: { '8': { epochs: 8 }, '4': { epochs: 4 } } } })).toMatchInlineSnapshot(
      `"STUDY: factors: x has a level '4', and JSON does not keep the order of whole numbers. Give it a word, or list the values."`,
    );
    expect(refusal({ ...good, factors: { head: [256, 512] } })).toMatchInlineSnapshot(
      `"STUDY: factors: head is a group of settings: head.hiddenSizes, head.outputSize, head.batchNorm. Name one of them. A list gives the values of a setting; name levels in groups."`,
    );
    expect(refusal({ ...good, factors: { temperature: [0.1, -1] } })).toMatchInlineSnapshot(`
      "In cell temperature -1 of the study:
      temperature must be a number above 0, got -1.
      Run with --help settings for the list."
    `);
    expect(refusal({ ...good, factors: { x: { a: {}, b: {} } } })).toMatchInlineSnapshot(
      `"The cells x a and x b of the study have the same settings. Take one of them out."`,
    );
    expect(refusal({ ...good, factors: { x: { a: {}, b: { 'optimizer.momentum': 0.5 } } } })).toMatchInlineSnapshot(`
      "In cell x b of the study:
      optimizer.momentum has no effect without optimizer.name sgd or lars.
      Set both, or leave it out."
    `);
    expect(refusal({ ...good, together: { all: {} } })).toMatchInlineSnapshot(
      `"STUDY: together belongs to the design one at a time: a grid has all combinations."`,
    );
    expect(
      refusal({ ...good, design: 'one at a time', together: { all: { temperature: '0.3' } } }),
    ).toMatchInlineSnapshot(`"STUDY: together, all: temperature has no level '0.3'. It has 0.1, 0.2."`);
    expect(refusal(good, { temperature: 0.5 })).toMatchInlineSnapshot(
      `"--set temperature: this is a factor of the study. Leave it out, or change the study's file."`,
    );
  });
});
