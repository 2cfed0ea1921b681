import type { StepRecord } from '@tfjs-ssl/trainer';
import { describe, expect, it } from 'vitest';
import { type Report, reportHtml } from './index.ts';

const record = (step: number): StepRecord => ({
  step,
  epoch: Math.floor(step / 4),
  loss: 4 - step / 4,
  metrics: { top1: step / 10 },
  learningRate: 0.001,
  seconds: { load: 0.01, prepare: 0.02, step: 0.07 },
  imagesPerSecond: 320,
});

const report: Report = {
  title: 'A <b>run</b> & "more"',
  status: 'Finished',
  facts: [{ label: 'kNN', value: '24.0% → 38.6%', note: 'chance 10%' }],
  records: Array.from({ length: 10 }, (_, step) => record(step)),
  stepsPerEpoch: 4,
  lossOfGuessing: Math.log(63),
  accuracies: { top1: 'top-1' },
  evaluation: { title: 'Neighbours', bars: [{ label: 'trained', value: 0.386 }], chance: 0.1 },
  views: { png: Uint8Array.from([1, 2, 3]), caption: 'Images and views' },
  config: { head: { hidden: 256 } },
  environment: { Node: '20' },
  footer: 'Made by hand',
};

const headings = (page: string): string[] => [...page.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, text]) => text as string);

/** Texts of an SVG or of a table. */
const texts = (page: string, tag: string): string[] =>
  [...page.matchAll(new RegExp(`<${tag}[^>]*>([^<]*)</${tag}>`, 'g'))].map(([, text]) => text as string);

describe('reportHtml', () => {
  it('tells of overflows in mixed precision', async () => {
    const records = report.records.map((of) => ({ ...of, lossScale: 1024, skipped: of.step % 5 === 0 }));
    const page = await reportHtml({ ...report, records });
    expect(headings(page)).toContain('Loss scale');
    expect(page).toContain('2 of 10 steps were skipped');
    expect(texts(page, 'th')).toContain('skipped');
    const withoutScale = await reportHtml(report);
    expect(headings(withoutScale)).not.toContain('Loss scale');
    expect(texts(withoutScale, 'th')).not.toContain('skipped');
  });

  it('has a part for everything it is given', async () => {
    const page = await reportHtml(report);
    expect(headings(page)).toEqual([
      'Loss',
      'Pretext accuracy',
      'Neighbours',
      'Learning rate',
      'Images per second',
      'Where the time of a step goes',
      'Sample views',
      'Configuration',
      'Ran on',
    ]);
    expect(page.match(/<svg/g)).toHaveLength(8); // loss and time of a step twice: wide and narrow
    expect(page).toContain('<dt>kNN</dt><dd>24.0% → 38.6%<small>chance 10%</small></dd>');
    expect(page).toContain('<tr><th scope="row">head.<wbr>hidden</th><td>256</td></tr>');
    expect(page).toContain('src="data:image/png;base64,AQID"');
    expect(page).toContain('step 70.0 %');
    expect(texts(page, 'text')).toEqual(expect.arrayContaining(['guessing', 'chance', '38.6%', 'trained']));
    expect(page).toContain('<footer>Made by hand</footer>');
  });

  it('has the means of the epochs, of an unfinished one too', async () => {
    const cells = texts(await reportHtml(report), 'td');
    // losses 4, 3.75, 3.5, 3.25; 3, 2.75, 2.5, 2.25; 2, 1.75
    expect(cells.filter((cell) => /^\d\.\d{4}$/.test(cell))).toEqual(['3.6250', '2.6250', '1.8750']);
    expect(cells).toEqual(expect.arrayContaining(['15.00 %', '55.00 %', '85.00 %', '10.0', '20.0', '70.0']));
  });

  it('loads nothing, runs nothing, and takes texts as texts', async () => {
    const page = await reportHtml(report);
    expect(page).toContain("default-src 'none'; img-src data:; style-src 'unsafe-inline'");
    expect(page).not.toMatch(/<script|<link|@import|(href|src)="(?!data:)|url\(/);
    const addresses = [...page.matchAll(/\w+:\/\/[^"' )]*/g)].map(([address]) => address);
    expect(new Set(addresses)).toEqual(new Set(['http://www.w3.org/2000/svg'])); // a name, never loaded
    expect(page).toContain('<h1>A &lt;b&gt;run&lt;/b&gt; &amp; &quot;more&quot;</h1>');
    expect(page).not.toContain('<b>run');
  });

  it('draws colours that follow the scheme of the reader', async () => {
    const page = await reportHtml(report);
    const charts = page.slice(page.indexOf('<main>'));
    expect(charts).toContain('stroke="var(--series-1)"');
    const fixed = [...charts.matchAll(/(?:fill|stroke)="([^"]*)"/g)].map(([, value]) => value as string);
    expect(new Set(fixed.filter((value) => !value.startsWith('var(')))).toEqual(new Set(['none']));
  });

  it('shows a run that has not come far', async () => {
    const { evaluation: _, views: __, accuracies: ___, ...rest } = report;
    expect(headings(await reportHtml({ ...rest, records: [] }))).toEqual(['Configuration', 'Ran on']);
    const page = await reportHtml({ ...rest, records: [record(0)] });
    expect(headings(page)).toContain('Loss');
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('stays small for a long run', async () => {
    const records = Array.from({ length: 20_000 }, (_, step) => ({
      ...record(step),
      epoch: Math.floor(step / 20),
      loss: 4 + Math.sin(step),
    }));
    expect((await reportHtml({ ...report, records, stepsPerEpoch: 20 })).length).toBeLessThan(800_000);
  });

  it('refuses epochs without steps', async () => {
    await expect(reportHtml({ ...report, stepsPerEpoch: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: reportHtml: stepsPerEpoch must be an integer of at least 1, got 0. Pass the steps of one epoch.]`,
    );
  });
});
