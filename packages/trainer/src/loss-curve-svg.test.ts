import { describe, expect, it } from 'vitest';
import { type LossPoint, lossCurveSvg } from './index.ts';

const curve = (steps: number, loss: (step: number) => number): LossPoint[] =>
  Array.from({ length: steps }, (_, step) => ({ step, loss: loss(step) }));

/** The two polylines, single steps and means, as lists of [x, y] in pixels. */
const lines = (svg: string): number[][][] =>
  [...svg.matchAll(/<polyline points="([^"]*)"/g)].map(([, points]) =>
    points === '' ? [] : points!.split(' ').map((point) => point.split(',').map(Number)),
  );

describe('lossCurveSvg', () => {
  it('draws what a hand draws', () => {
    // 200 x 150: the plot spans x from 64 to 176 and y from 98 (loss 1) up to 44 (loss 2)
    const svg = lossCurveSvg(
      [
        { step: 0, loss: 2 },
        { step: 1, loss: 1 },
      ],
      { width: 200, height: 150 },
    );
    expect(lines(svg)[0]).toEqual([
      [120, 44],
      [176, 98],
    ]);
    expect(svg).toContain('>step</text>');
  });

  it('draws the mean of each epoch in its middle', () => {
    const svg = lossCurveSvg(
      curve(10, (step) => (step % 2 ? 1 : 3)),
      { stepsPerEpoch: 2, width: 200, height: 150 },
    );
    const means = lines(svg)[1]!;
    expect(means.map(([x]) => x)).toEqual([80.8, 103.2, 125.6, 148, 170.4]);
    expect(new Set(means.map(([, y]) => y))).toEqual(new Set([71]));
    expect(svg).toContain('>epoch</text>');
  });

  it('draws a running mean where there are few epochs', () => {
    const points = curve(200, (step) => (step % 2 ? 1 : 3));
    const means = lines(lossCurveSvg(points, { stepsPerEpoch: 100 }))[1]!;
    expect(means).toHaveLength(200);
    for (const [, y] of means) expect(Math.abs(y! - 221)).toBeLessThan(40);
  });

  it('stays small and keeps the extremes of a long run', () => {
    const points = curve(50_000, (step) => 2 + Math.sin(step));
    points[31_415] = { step: 31_415, loss: 9 };
    const svg = lossCurveSvg(points, { stepsPerEpoch: 1000 });
    expect(svg.length).toBeLessThan(30_000);
    expect(Math.min(...lines(svg)[0]!.map(([, y]) => y!))).toBeLessThan(90);
  });

  it.each([
    ['no points', []],
    ['one point', curve(1, () => 2)],
    ['a constant', curve(5, () => 2)],
    ['zero', curve(5, () => 0)],
    ['losses that are not finite', [{ step: 0, loss: Number.NaN }, ...curve(3, () => 1)]],
    ['tiny differences', curve(9, (step) => 1 + step * 1e-6)],
  ])('copes with %s', (_, points) => {
    for (const stepsPerEpoch of [1, 100])
      expect(lossCurveSvg(points, { stepsPerEpoch })).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('escapes the title', () => {
    const svg = lossCurveSvg([], { title: 'a < b & "c"' });
    expect(svg).toContain('<title>a &lt; b &amp; &quot;c&quot;</title>');
    expect(svg).not.toContain('a < b');
  });

  it('has ticks at whole steps only', () => {
    const svg = lossCurveSvg(curve(3, (step) => step));
    expect([...svg.matchAll(/v5" stroke="#444"\/><text [^>]*>([^<]*)/g)].map(([, label]) => label)).toEqual([
      '0',
      '1',
      '2',
      '3',
    ]);
  });

  it('says what is wrong with its options', () => {
    expect(() => lossCurveSvg([], { stepsPerEpoch: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: lossCurveSvg: stepsPerEpoch must be at least 1, got 0. Pass a greater one.]`,
    );
    expect(() => lossCurveSvg([], { width: Number.NaN })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: lossCurveSvg: width must be at least 200, got NaN. Pass a greater one.]`,
    );
    expect(() => lossCurveSvg([], { height: 10 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: lossCurveSvg: height must be at least 150, got 10. Pass a greater one.]`,
    );
  });
});
