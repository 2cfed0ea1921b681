import { describe, expect, it } from 'vitest';
import { intervalsChart } from './charts/intervals.ts';
import { type StudyPage, studyHtml } from './index.ts';

const study: StudyPage = {
  title: 'A <b>study</b>',
  status: '4 of 4 runs',
  facts: [{ label: 'seeds', value: '2' }],
  plots: [
    {
      title: 'kNN accuracy',
      note: 'dots: seeds',
      rows: [
        { label: 'slim', mean: 0.3, low: 0.2, high: 0.4, values: [0.29, 0.31] },
        { label: 'wide', mean: 0.5, low: null, high: null },
      ],
      format: '.0%',
    },
    { title: 'Effects', rows: [{ label: 'wide', mean: 0.2, low: 0.1, high: 0.3 }], format: '+.0%', differences: true },
  ],
  tables: [
    {
      title: 'Cells',
      note: 'means',
      head: ['head', 'kNN'],
      rows: [
        ['slim', '30 %'],
        ['wide <x>', '50 %'],
      ],
    },
  ],
  config: { epochs: 8, encoder: { width: 16 } },
  environment: { Node: '20' },
};

describe('studyHtml', () => {
  it('has a part for everything it is given, loads nothing and escapes texts', async () => {
    const page = await studyHtml(study);
    const headings = [...page.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, text]) => text);
    expect(headings).toEqual(['kNN accuracy', 'Effects', 'Cells', 'Settings of all runs', 'Ran on']);
    expect(page).toContain('A &lt;b&gt;study&lt;/b&gt;');
    expect(page).toContain('<th scope="row">wide &lt;x&gt;</th><td>50 %</td>');
    expect(page).toContain('encoder.<wbr>width');
    expect(page).not.toMatch(/<script|https?:(?!\/\/www\.w3\.org)/);
    expect(page.match(/<svg/g)).toHaveLength(4); // two plots, each for wide and for narrow screens
    expect(page).toContain('aria-label="kNN accuracy"');
  });

  it('breaks the labels of cells into a line for each factor', async () => {
    const label = 'augmentation.blurProbability 0.5, head wide';
    const page = await studyHtml({
      ...study,
      plots: [{ title: 'kNN', rows: [{ label, mean: 1, low: 0, high: 2 }], format: '.0%' }],
    });
    expect(page).toMatch(/>augmentation\.blurProbability 0\.5<\/tspan><tspan[^>]*>head wide</);
  });

  it('draws a line for each interval, a dot for each mean and each value, and zero for differences', () => {
    const marks = (chart: object) =>
      (chart as { layer: Array<{ data: { values: unknown[] }; mark: { type: string } }> }).layer.map(
        ({ mark, data }) => [mark.type, data.values.length],
      );
    const [cells, effects] = study.plots.map(({ rows, format, differences = false }) =>
      marks(intervalsChart(rows, { format, zero: differences })),
    );
    expect(cells).toEqual([
      ['rule', 1],
      ['point', 2],
      ['point', 2],
    ]);
    expect(effects).toEqual([
      ['rule', 1],
      ['rule', 1],
      ['point', 0],
      ['point', 1],
    ]);
  });
});
