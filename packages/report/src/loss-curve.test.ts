import type { StepRecord } from '@tfjs-ssl/trainer';
import { describe, expect, it } from 'vitest';
import { lossCurve } from './index.ts';

const records = (steps: number, stepsPerEpoch: number, loss: (step: number) => number): StepRecord[] =>
  Array.from({ length: steps }, (_, step) => ({
    step,
    epoch: Math.floor(step / stepsPerEpoch),
    loss: loss(step),
    metrics: {},
    learningRate: 0.001,
    seconds: { load: 0.01, prepare: 0.02, step: 0.07 },
    imagesPerSecond: 320,
  }));

const texts = (svg: string): string[] => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text!);

/** Where the points of a line lie, in pixels of the plot. */
const line = (svg: string): number[][] =>
  /mark-line[^>]*><path[^>]* d="M([^"Z]*)"/
    .exec(svg)![1]!
    .split('L')
    .map((point) => point.split(',').map(Number));

describe('lossCurve', () => {
  it('draws the loss over epochs', async () => {
    const svg = await lossCurve(
      records(4, 2, (step) => 4 - step),
      { stepsPerEpoch: 2, title: 'a < b & "c"' },
    );
    expect(texts(svg)).toEqual(expect.arrayContaining(['epoch', 'a &lt; b &amp; "c"', '1', '2', '3', '4']));
    expect(svg).toMatch(/^<svg role="img" aria-label="a &lt; b &amp; &quot;c&quot;"[^>]* width="800" height="450"/);
    const points = line(svg);
    const [first, last] = [points[0]!, points.at(-1)!];
    expect(points).toHaveLength(4);
    // the last step ends epoch 2, the first half of epoch 1: a quarter of the axis; losses fall by the same, pixels count down
    expect(first[0]! / last[0]!).toBeCloseTo(1 / 4, 2);
    expect(points[1]![1]! - first[1]!).toBeCloseTo(points[2]![1]! - points[1]![1]!, 1);
    expect(last[1]!).toBeGreaterThan(first[1]!);
  });

  it('stands alone: every colour is a colour', async () => {
    const svg = await lossCurve(
      records(8, 4, (step) => step),
      { stepsPerEpoch: 4 },
    );
    expect(svg).not.toMatch(/var\(|undefined/);
    expect(svg).toContain('#2a6fc9');
  });

  it('stays small and keeps the extremes of a long run', async () => {
    const long = records(50_000, 1000, (step) => (step === 31_415 ? 9 : 2 + Math.sin(step)));
    const svg = await lossCurve(long, { stepsPerEpoch: 1000 });
    expect(svg.length).toBeLessThan(60_000);
    expect(texts(svg)).toContain('8');
  });

  it.each([
    ['no steps', []],
    ['one step', records(1, 1, () => 2)],
    ['a constant', records(5, 2, () => 2)],
    ['zero', records(5, 2, () => 0)],
    ['losses that are not finite', records(5, 2, (step) => (step === 0 ? Number.NaN : 1))],
  ])('copes with %s', async (_, given) => {
    expect(await lossCurve(given, { stepsPerEpoch: 2 })).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('says what is wrong with its options', async () => {
    await expect(lossCurve([], { stepsPerEpoch: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: lossCurve: stepsPerEpoch must be an integer of at least 1, got 0. Pass the steps of one epoch.]`,
    );
    await expect(lossCurve([], { stepsPerEpoch: 1, width: Number.NaN })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: lossCurve: width must be a finite number of at least 200, got NaN. Pass a greater one.]`,
    );
    await expect(lossCurve([], { stepsPerEpoch: 1, height: 10 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: lossCurve: height must be a finite number of at least 150, got 10. Pass a greater one.]`,
    );
  });
});
