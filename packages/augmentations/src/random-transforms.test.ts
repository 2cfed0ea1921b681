import * as tf from '@tensorflow/tfjs-core';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { colorJitter } from './color-jitter.ts';
import { compose } from './compose.ts';
import { imageRng } from './image-rng.ts';
import { normalizeImages } from './normalize-images.ts';
import { type SimclrChainOptions, simclrChain } from './presets.ts';
import { randomApply } from './random-apply.ts';
import { randomGaussianBlur } from './random-gaussian-blur.ts';
import { randomGrayscale } from './random-grayscale.ts';
import { randomHorizontalFlip } from './random-horizontal-flip.ts';
import { randomResizedCrop } from './random-resized-crop.ts';
import { randomSolarize } from './random-solarize.ts';
import { defineTransform, type Parameters, type Transform } from './transform.ts';

/** SimCLR's chain with a random solarization, and a blur of every view. */
const solarizingChain = (options: SimclrChainOptions = {}) =>
  simclrChain({ solarizeProbability: 0.2, blurProbability: 1, ...options });

const jitter = colorJitter({ brightness: 0.8, contrast: 0.8, saturation: 0.8, hue: 0.2 });
const optional: Record<string, (p: number) => Transform> = {
  randomHorizontalFlip: (p) => randomHorizontalFlip({ p }),
  randomSolarize: (p) => randomSolarize({ p }),
  randomGrayscale: (p) => randomGrayscale({ p }),
  randomGaussianBlur: (p) => randomGaussianBlur({ kernelSize: 3, sigma: [1, 2], p }),
  'randomApply(colorJitter)': (p) => randomApply(jitter, { p }),
  'randomApply(chain)': (p) => randomApply(compose([jitter, randomGrayscale({ p: 1 })]), { p }),
};
const names = Object.keys(optional);
const rng = (image: number) => imageRng({ seed: 'transforms', epoch: 0, image, view: 0 });
const isApplied = (parameters: Parameters): boolean =>
  Object.entries(parameters).some(([column, value]) => column.endsWith('applied') && value === 1);

describe('sampling', () => {
  it.each(names)('%s is drawn at its rate, within three standard deviations', (name) => {
    for (const p of [0, 0.2, 0.5, 0.8, 1]) {
      const transform = optional[name]!(p);
      const n = 4000;
      const count = Array.from({ length: n }, (_, i) => transform.sample(rng(i), [8, 8])).filter(isApplied).length;
      expect(Math.abs(count / n - p)).toBeLessThanOrEqual(3 * Math.sqrt((p * (1 - p)) / n));
    }
  });

  it('crops lie within the image, for any size, scale and ratio', async () => {
    const interval = (min: number, max: number) =>
      fc
        .tuple(fc.double({ min, max, noNaN: true }), fc.double({ min, max, noNaN: true }))
        .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
    const crops = fc.property(
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 1, max: 300 }),
      interval(0.01, 1),
      interval(0.1, 10),
      fc.integer(),
      (height, width, scale, ratio, seed) => {
        const box = randomResizedCrop({ size: 8, scale, ratio }).sample(rng(seed), [height, width]);
        expect(Object.values(box).every(Number.isInteger)).toBe(true);
        expect(box.top).toBeGreaterThanOrEqual(0);
        expect(box.left).toBeGreaterThanOrEqual(0);
        expect(box.height).toBeGreaterThanOrEqual(1);
        expect(box.width).toBeGreaterThanOrEqual(1);
        expect(box.top! + box.height!).toBeLessThanOrEqual(height);
        expect(box.left! + box.width!).toBeLessThanOrEqual(width);
      },
    );
    await fc.assert(crops, { numRuns: 300, seed: 1 });
  });

  it('crops fall back to the largest central box of an allowed ratio', () => {
    const never = { size: 8, scale: [1, 1] as const };
    expect(randomResizedCrop(never).sample(rng(0), [40, 120])).toEqual({ top: 0, left: 33, height: 40, width: 53 });
    expect(randomResizedCrop(never).sample(rng(0), [120, 40])).toEqual({ top: 33, left: 0, height: 53, width: 40 });
    expect(randomResizedCrop(never).sample(rng(0), [40, 50])).toEqual({ top: 0, left: 0, height: 40, width: 50 });
    // 5 * 1.5 = 7.5 rounds to 8 and 3 * 1.5 = 4.5 to 4, the even neighbours, as in Python.
    const ratio = [1, 1.5] as const;
    expect(randomResizedCrop({ ...never, ratio }).sample(rng(0), [5, 20])).toMatchObject({ width: 8 });
    expect(randomResizedCrop({ ...never, ratio }).sample(rng(0), [3, 20])).toMatchObject({ width: 4 });
  });

  it('jitter takes strengths and intervals, and leaves out what has none', () => {
    const drawn = colorJitter({ brightness: 2, contrast: [0.5, 0.5], hue: [0.1, 0.2] }).sample(rng(1), [8, 8]);
    expect(drawn).toMatchObject({ applied: 1, contrast: 0.5, saturation: 1 });
    expect(drawn.brightness).toBeGreaterThanOrEqual(0);
    expect(drawn.brightness).toBeLessThan(3);
    expect(drawn.hue).toBeGreaterThanOrEqual(0.1);
    expect(drawn.hue).toBeLessThan(0.2);
    expect([drawn.first, drawn.second, drawn.third, drawn.fourth].sort()).toEqual([0, 1, 2, 3]);
  });
});

describeEngines('random transforms', () => {
  const images = (): tf.Tensor4D => tf.randomUniform([4, 6, 6, 3], 0, 1, 'float32', 5);
  const sampled = (transform: Transform): Parameters[] => [0, 1, 2, 3].map((i) => transform.sample(rng(i), [6, 6]));

  it.each(names)('%s with p = 0 is the identity, with p = 1 changes every image', async (name) => {
    const x = images();
    const never = optional[name]!(0);
    await expectClose(never.apply(x, sampled(never)), x, {});
    const always = optional[name]!(1);
    const y = always.apply(x, sampled(always));
    for (let i = 0; i < 4; i++) {
      const difference = (await tf.max(tf.abs(tf.sub(tf.slice(y, i, 1), tf.slice(x, i, 1)))).data())[0];
      expect(difference).toBeGreaterThan(1e-3);
    }
  });

  it.each(names)('%s treats each image by its own row, whatever stands beside it', async (name) => {
    const transform = optional[name]!(0.5);
    const x = images();
    const rows = sampled(transform);
    const together = transform.apply(x, rows);
    for (const i of [3, 0]) {
      await expectClose(transform.apply(tf.slice(x, i, 1), [rows[i]!]), tf.slice(together, i, 1), { atol: 1e-6 });
    }
    await expectNoLeak(() => transform.apply(x, rows).dispose());
  });

  it('jitter runs its four operations in the order of the row, for all 24 orders', async () => {
    const x = tf.tensor4d([0.9, 0.3, 0.1, 0.2, 0.6, 0.5], [1, 1, 2, 3]);
    const factors = { brightness: 1.6, contrast: 0.4, saturation: 1.7, hue: 0.15 };
    const single = Object.entries(factors).map(([name, factor], code) => {
      const order = [code, ...[0, 1, 2, 3].filter((other) => other !== code)];
      return { ...row(order, { brightness: 1, contrast: 1, saturation: 1, hue: 0 }), [name]: factor };
    });
    for (const order of permutations([0, 1, 2, 3])) {
      const oneByOne = order.reduce((image, code) => jitter.apply(image, [single[code]!]), x as tf.Tensor4D);
      await expectClose(jitter.apply(x, [row(order, factors)]), oneByOne, { atol: 2e-6 });
    }
  });

  it('custom transforms get their columns and their probability', async () => {
    const gamma = defineTransform({
      name: 'randomGamma',
      columns: ['gamma'],
      probability: 0.5,
      neutral: { gamma: 1 },
      draw: (draw) => ({ gamma: 1 + draw() }),
      apply: (x, { gamma: g }) => tf.pow(x, tf.reshape(g, [-1, 1, 1, 1])),
    });
    expect(gamma.columns).toEqual(['applied', 'gamma']);
    const x = tf.fill([2, 1, 1, 1], 0.5) as tf.Tensor4D;
    await expectClose(gamma.apply(x, tf.tensor2d([1, 2, 0, 2], [2, 2])), [0.25, 0.5]);
  });

  it('refuses what does not fit', () => {
    expect(() => randomSolarize({ threshold: 128 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: randomSolarize: threshold must be a finite number in [0, 1], got 128. State it in the range of the images: 128 of 255 is 128 / 255.]`,
    );
    expect(() => solarizingChain({ solarizeThreshold: 128 })).toThrow(/randomSolarize: threshold must be/);
    expect(() => randomResizedCrop({ size: 8, scale: [8, 100] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: randomResizedCrop: scale must be an ascending pair of finite numbers in (0, 1], got [8, 100]. Pass [smallest, largest].]`,
    );
    expect(() =>
      normalizeImages({ mean: [123.7, 116.3, 103.5], std: [58.4, 57.1, 57.4] }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: normalizeImages: mean must be a finite number in [0, 1], got 123.7. State it in the range of the images, [0, 1]: divide numbers for images of 0 to 255 by 255.]`,
    );

    const x = images();
    expect(() => randomHorizontalFlip({ p: 1.5 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: randomHorizontalFlip: p must be a finite number in [0, 1], got 1.5. It is the probability with which an image is transformed.]`,
    );
    expect(() => randomApply(jitter, { p: Number.NaN })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: randomApply: p must be a finite number in [0, 1], got NaN. It is the probability with which an image is transformed.]`,
    );
    expect(() => randomApply(randomResizedCrop({ size: 8 }), { p: 0.5 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: randomApply: transform must keep the size of an image, got randomResizedCrop, which changes it. Apply it to every image.]`,
    );
    expect(() => randomResizedCrop({ size: 8, scale: [0.5, 0.1] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: randomResizedCrop: scale must be an ascending pair of finite numbers in (0, 1], got [0.5, 0.1]. Pass [smallest, largest].]`,
    );
    expect(() => randomResizedCrop({ size: [8, 0.5] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: randomResizedCrop: size must be an integer of at least 1, got 0.5. Give pixels: one number for a square, or [height, width].]`,
    );
    expect(() => randomGaussianBlur({ kernelSize: 3, sigma: [0, 1] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: randomGaussianBlur: sigma must be an ascending pair of finite numbers above 0, got [0, 1]. Pass [smallest, largest].]`,
    );
    expect(() => colorJitter({ hue: 0.6 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: colorJitter: hue must be a finite number in [0, 0.5], got 0.6. It is in turns: 0.5 is half the colour circle.]`,
    );
    expect(() => colorJitter({ contrast: [-1, 1] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: colorJitter: contrast must be an ascending pair of finite numbers of at least 0, got [-1, 1]. Pass [smallest, largest].]`,
    );
    expect(() => randomSolarize({ threshold: Number.NaN })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: randomSolarize: threshold must be a finite number in [0, 1], got NaN. State it in the range of the images: 128 of 255 is 128 / 255.]`,
    );
    expect(() => normalizeImages({ mean: [0], std: [1] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: normalizeImages: mean must hold 3 numbers, one per channel, got 1. Pass one number per channel of the images.]`,
    );
    expect(() => randomGrayscale().apply(x, [{ applied: 1 }])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: randomGrayscale: parameters must have 4 rows, one per image, of 1 columns (applied), got shape [1, 1]. Sample once for every image.]`,
    );
    expect(() => randomSolarize().apply(x, Array(4).fill({ applied: 1 }))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: randomSolarize: parameters[0]['threshold'] must be a finite number, got undefined. Pass what sample() returns.]`,
    );
    expect(() => jitter.apply(x, tf.zeros([4, 3]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: colorJitter: parameters must have 4 rows, one per image, of 9 columns (applied, first, second, third, fourth, brightness, contrast, saturation, hue), got shape [4, 3]. Sample once for every image.]`,
    );
  });
});

type Factors = { brightness: number; contrast: number; saturation: number; hue: number };

function row([first, second, third, fourth]: number[], factors: Factors): Parameters {
  return { applied: 1, first: first!, second: second!, third: third!, fourth: fourth!, ...factors };
}

function permutations(items: number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) => permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
}
