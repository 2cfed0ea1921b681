import { describe, expect, it } from 'vitest';
import { planStudy } from './plan.ts';
import { type RunResult, summarizeStudy } from './results.ts';
import type { StudyFile } from './study-file.ts';
import { cellTable, effectTable, estimatesCsv, runsCsv } from './text-tables.ts';

const file: StudyFile = {
  name: 'test',
  title: 'Test',
  settings: {},
  quick: {},
  full: {},
  factors: {
    solarize: new Map([
      ['0', { 'augmentation.solarizeProbability': 0 }],
      ['0.2', { 'augmentation.solarizeProbability': 0.2 }],
    ]),
    head: new Map([
      ['wide', { 'head.hiddenSizes': [512] }],
      ['slim', { 'head.hiddenSizes': [256] }],
    ]),
  },
  design: 'grid',
  together: {},
  seeds: [0, 1, 2],
  evaluate: false,
};
const plan = planStudy(file, {});

/** kNN = 0.3 + 0.02 with solarize - 0.01 with the slim head + 0.05 * seed; the seed's part is that of all cells. */
function run(cell: string, seed: number, noise = 0): RunResult {
  const knn = 0.3 + (/0\.2/.test(cell) ? 0.02 : 0) - (/slim/.test(cell) ? 0.01 : 0) + 0.05 * seed + noise;
  return { cell, seed, values: { knn }, parameters: { encoder: 100, head: 10 }, seconds: 60 };
}

describe('summarizeStudy', () => {
  it('finds the effects exactly, since seeds are in pairs', () => {
    const runs = plan.runs.map(({ cell, seed }) => run(cell.name, seed));
    const { cells, effects } = summarizeStudy(plan, runs);
    expect(cells.map(({ name, values }) => [name, values.knn?.mean.toFixed(3)])).toEqual([
      ['solarize 0, head wide', '0.350'],
      ['solarize 0, head slim', '0.340'],
      ['solarize 0.2, head wide', '0.370'],
      ['solarize 0.2, head slim', '0.360'],
    ]);
    expect(cells[0]?.values.knn?.deviation).toBeCloseTo(0.05, 12);
    const [solarize, head] = effects.map(({ values }) => values.knn);
    expect(solarize?.mean).toBeCloseTo(0.02, 12);
    expect(solarize?.deviation).toBeCloseTo(0, 12);
    expect(solarize?.low).toBeCloseTo(0.02, 12);
    expect(head?.mean).toBeCloseTo(-0.01, 12);
  });

  it('averages the pairs of a seed before it looks at the spread of seeds', () => {
    // differences of solarize: seed 0: 0.02 and 0.04, mean 0.03; seed 1: 0.02
    const noise = (name: string, seed: number) => (name === 'solarize 0.2, head slim' && seed === 0 ? 0.02 : 0);
    const runs = plan.runs
      .filter(({ seed }) => seed < 2)
      .map(({ cell, seed }) => run(cell.name, seed, noise(cell.name, seed)));
    const solarize = summarizeStudy(plan, runs).effects[0]?.values.knn;
    expect(solarize?.values.map((value) => Number(value.toFixed(6)))).toEqual([0.03, 0.02]);
    const half = 12.7062 * (0.01 / Math.SQRT2 / Math.SQRT2);
    expect(solarize?.high).toBeCloseTo(0.025 + half, 5);
  });

  it('leaves out a seed whose pairs are not all there, and cells without runs', () => {
    const runs = [run('solarize 0, head wide', 0), run('solarize 0.2, head wide', 0), run('solarize 0, head slim', 0)];
    const { cells, effects, done, planned } = summarizeStudy(plan, runs);
    expect([done, planned, cells.length]).toEqual([3, 12, 3]);
    expect(effects[0]?.values.knn).toBeUndefined();
  });

  it('compares one at a time with the reference, and cells of several changes too', () => {
    const levels = { solarize: '0.2', head: 'slim' };
    const single = planStudy({ ...file, design: 'one at a time', together: { both: levels } }, {});
    expect(single.cells.map(({ name }) => name)).toEqual(['reference', 'solarize 0.2', 'head slim', 'both']);
    const runs = single.runs.map(({ cell, seed }) =>
      run(cell.name === 'both' ? 'solarize 0.2, slim' : cell.name, seed),
    );
    const named = runs.map((result, i) => ({ ...result, cell: single.runs[i]?.cell.name as string }));
    const { effects } = summarizeStudy(single, named);
    expect(effects.map(({ factor, values }) => [factor, values.knn?.mean.toFixed(3)])).toEqual([
      ['solarize', '0.020'],
      ['head', '-0.010'],
      ['together', '0.010'],
    ]);
  });
});

describe('the tables', () => {
  const runs = plan.runs.map(({ cell, seed }) => run(cell.name, seed));
  const results = summarizeStudy(plan, runs);

  it('say what was found', () => {
    expect(cellTable(results).slice(0, 2)).toEqual([
      ['cell', 'runs', 'kNN top-1', 'SD', 'encoder', 'head', 'time of a run'],
      ['solarize 0, head wide', '3', '35.0 ± 12.4 %', '5.0 %', '100', '10', '1:00 min'],
    ]);
    expect(effectTable(results)).toEqual([
      ['effect', 'pairs', 'kNN top-1'],
      ['solarize: 0.2 instead of 0', '3', '+2.0 ± 0.0 %'],
      ['head: slim instead of wide', '3', '-1.0 ± 0.0 %'],
    ]);
  });

  it('are CSV too, with commas in quotes', () => {
    expect(runsCsv(results).split('\n').slice(0, 2)).toEqual([
      'cell,solarize,head,seed,knn,linear,top1,loss,encoder parameters,head parameters,seconds',
      '"solarize 0, head wide",0,wide,0,0.3,,,,100,10,60',
    ]);
    const numbers = estimatesCsv(results).split('\n')[1]?.split('wide",')[1]?.split(',') ?? [];
    expect(numbers.slice(0, 2)).toEqual(['knn', '3']);
    expect(numbers.slice(2).map((text) => Number(text).toFixed(4))).toEqual(['0.3500', '0.0500', '0.2258', '0.4742']);
  });
});
