import * as tf from '@tensorflow/tfjs-core';
import { augmentImages, hasKernel, packImages } from '@tfjs-ssl/ops';
import { describeEngines, expectClose, expectNoLeak } from '@tfjs-ssl/testing';
import { describe, expect, it, vi } from 'vitest';
import { colorJitter } from './color-jitter.ts';
import { type Chain, compose } from './compose.ts';
import { imageRng } from './image-rng.ts';
import { normalizeImages } from './normalize-images.ts';
import { type SimclrChainOptions, simclrChain } from './presets.ts';
import { randomApply } from './random-apply.ts';
import { randomGaussianBlur } from './random-gaussian-blur.ts';
import { randomGrayscale } from './random-grayscale.ts';
import { randomHorizontalFlip } from './random-horizontal-flip.ts';
import { randomResizedCrop } from './random-resized-crop.ts';
import { randomSolarize } from './random-solarize.ts';
import { defineTransform } from './transform.ts';
import type { SampleOptions } from './view-keys.ts';

/** SimCLR's chain with a random solarization, and a blur of every view. */
const solarizingChain = (options: SimclrChainOptions = {}) =>
  simclrChain({ solarizeProbability: 0.2, blurProbability: 1, ...options });

const strongJitter = () => colorJitter({ brightness: 0.8, contrast: 0.8, saturation: 0.8, hue: 0.2 });
const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };

/** A transform of a user's own: without stages, and with a number. */
const randomGamma = () =>
  defineTransform({
    name: 'randomGamma',
    columns: ['gamma'],
    probability: 0.7,
    neutral: { gamma: 1 },
    draw: (rng) => ({ gamma: 0.5 + rng() }),
    apply: (images, { gamma }) => tf.pow(images, tf.reshape(gamma, [-1, 1, 1, 1])),
  });

/** Chains that between them have every kind of stage, in several orders and sizes. */
const chains: Record<string, () => Chain> = {
  paper: () => solarizingChain({ size: 16 }),
  'simclr, smaller, normalised': () => simclrChain({ size: 11, strength: 0.5, normalize: imagenet }),
  'without antialias': () => simclrChain({ size: 9, antialias: false, blurProbability: 0 }),
  'no crop, blur first, two flips': () =>
    compose([
      randomGaussianBlur({ kernelSize: 5, p: 0.7 }),
      randomHorizontalFlip(),
      randomApply(compose([strongJitter(), randomSolarize({ threshold: 0.3 })]), { p: 0.6 }),
      randomHorizontalFlip(),
      randomGrayscale({ p: 0.3 }),
    ]),
  'a stranger in the middle': () =>
    compose([
      randomResizedCrop({ size: 16 }),
      randomHorizontalFlip(),
      randomGamma(),
      strongJitter(),
      randomGaussianBlur({ kernelSize: 3 }),
    ]),
  'strangers first, twice and last': () =>
    compose([
      randomGamma(),
      randomApply(compose([randomHorizontalFlip(), randomGamma()]), { p: 0.8 }),
      randomGamma(),
      randomGrayscale(),
      randomGamma(),
    ]),
  'two crops, to an oblong': () =>
    compose([
      randomResizedCrop({ size: [21, 13] }),
      strongJitter(),
      randomResizedCrop({ size: [7, 30] }),
      normalizeImages(imagenet),
    ]),
};

const sampleOptions = { seed: 3, epoch: 1, indices: [10, 20, 30], imageSize: [18, 22] as const };

describeEngines('sampleTable', () => {
  const chain = solarizingChain({ size: 16 });
  const rowLength = chain.columns.length;
  const rowsOf = (table: tf.Tensor2D) => table.array();

  it('depends on seed, epoch, image and view alone: not on order or batch', async () => {
    const rows = (options: Partial<SampleOptions> = {}) => rowsOf(chain.sampleTable({ ...sampleOptions, ...options }));
    const [a, b, c, a1, b1, c1] = await rows();
    expect(a).toHaveLength(rowLength);
    expect(await rows({ indices: [30, 10] })).toEqual([c, a, c1, a1]);
    expect(await rows({ indices: new Int32Array([20]), views: 1 })).toEqual([b]);
    expect(b1).not.toEqual(b);
    expect(await rows({ seed: 4 })).not.toContainEqual(a);
    expect(await rows({ epoch: 2 })).not.toContainEqual(a);
  });

  it('has the numbers that sample() draws for the same key', async () => {
    const record = chain.sample(imageRng({ seed: 3, epoch: 1, image: 20, view: 1 }), [18, 22]);
    expect(chain.sampleRecords(sampleOptions)[4]).toEqual(record);
    expect(await rowsOf(chain.toTable([record]))).toEqual([(await rowsOf(chain.sampleTable(sampleOptions)))[4]]);
  });

  it('gives records that can be stored and applied again', async () => {
    const records = JSON.parse(JSON.stringify(chain.sampleRecords(sampleOptions)));
    expect(records).toHaveLength(6);
    expect(await rowsOf(chain.toTable(records))).toEqual(await rowsOf(chain.sampleTable(sampleOptions)));
  });

  it('says what the numbers do', () => {
    const small = compose([
      randomResizedCrop({ size: 8 }),
      randomHorizontalFlip(),
      randomApply(randomSolarize({ p: 1 }), { p: 0.5 }),
    ]);
    const record = (...numbers: number[]) =>
      Object.fromEntries(small.columns.map((column, i) => [column, numbers[i]!]));
    expect(small.describe(record(1, 2, 30, 40, 1, 1, 0.5019608))).toMatchInlineSnapshot(
      `"randomResizedCrop(top 1, left 2, height 30, width 40) -> randomHorizontalFlip -> randomSolarize(threshold 0.502)"`,
    );
    expect(small.describe(record(0, 0, 8, 9, 0, 0, 0.5019608))).toMatchInlineSnapshot(
      `"randomResizedCrop(top 0, left 0, height 8, width 9)"`,
    );
    expect(small.columns).toMatchInlineSnapshot(`
      [
        "randomResizedCrop.top",
        "randomResizedCrop.left",
        "randomResizedCrop.height",
        "randomResizedCrop.width",
        "randomHorizontalFlip.applied",
        "randomSolarize.applied",
        "randomSolarize.threshold",
      ]
    `);
    expect(compose([randomHorizontalFlip(), randomHorizontalFlip()]).columns).toMatchInlineSnapshot(`
      [
        "randomHorizontalFlip.applied",
        "randomHorizontalFlip2.applied",
      ]
    `);
  });

  it('refuses what does not fit', () => {
    expect(() => compose([])).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: compose: transforms must hold at least one transform, got none. Pass the transforms of the chain.]`,
    );
    expect(() => chain.sampleTable({ ...sampleOptions, epoch: -1 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: sampleTable: epoch must be an integer of at least 0, got -1. Count epochs from 0.]`,
    );
    expect(() => chain.sampleTable({ ...sampleOptions, views: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: sampleTable: views must be an integer of at least 1, got 0. A contrastive loss needs 2.]`,
    );
    expect(() => chain.sampleTable({ ...sampleOptions, imageSize: [0, 5] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: sampleTable: imageSize must be an integer of at least 1, got 0. Give pixels: one number for a square, or [height, width].]`,
    );
    expect(() => chain.sampleTable({ ...sampleOptions, indices: [0, Number.NaN] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: sampleTable: indices must be integers, one per image, got NaN. Pass the positions of the images in their data set.]`,
    );
    expect(() =>
      chain.sampleTable({ ...sampleOptions, indices: undefined as never }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: sampleTable: indices must be integers, one per image, got none. Pass the positions of the images in their data set.]`,
    );
    expect(() =>
      chain.sampleRecords({ ...sampleOptions, seed: undefined as never }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: sampleRecords: seed must be a finite number, got undefined. Pass a number or a text, the same for the whole run.]`,
    );
  });
});

describe('presets', () => {
  it('have the settings of the paper', () => {
    const kinds = (chain: Chain) => chain.stages?.map(({ kind }) => kind);
    expect(kinds(solarizingChain())).toEqual([
      'resizedCrop',
      'horizontalFlip',
      'solarize',
      'colorJitter',
      'grayscale',
      'gaussianBlur',
    ]);
    expect(kinds(simclrChain())).not.toContain('solarize');
    expect(solarizingChain().stages).toContainEqual({ kind: 'resizedCrop', size: [64, 64], antialias: true });
    expect(solarizingChain().stages).toContainEqual({ kind: 'gaussianBlur', kernelSize: 7 });
    for (const [size, kernelSize] of [
      [32, 3],
      [64, 7],
      [96, 9],
      [224, 23],
    ]) {
      expect(simclrChain({ size: size! }).stages).toContainEqual({ kind: 'gaussianBlur', kernelSize });
    }
  });

  it('apply their transforms at their rates', () => {
    const rate = (chain: Chain, column: string): number => {
      const indices = Array.from({ length: 2000 }, (_, i) => i);
      const records = chain.sampleRecords({ seed: 0, epoch: 0, indices, imageSize: 64 });
      return records.filter((record) => record[column] === 1).length / records.length;
    };
    const expectRate = (chain: Chain, name: string, p: number) =>
      expect(Math.abs(rate(chain, `${name}.applied`) - p), name).toBeLessThanOrEqual(
        3 * Math.sqrt((p * (1 - p)) / 4000),
      );
    expectRate(solarizingChain(), 'randomHorizontalFlip', 0.5);
    expectRate(solarizingChain(), 'randomSolarize', 0.2);
    expectRate(solarizingChain(), 'colorJitter', 0.8);
    expectRate(solarizingChain(), 'randomGrayscale', 0.2);
    expectRate(solarizingChain(), 'randomGaussianBlur', 1);
    expectRate(simclrChain(), 'randomGaussianBlur', 0.5);
  });

  it('draw factors of the strength asked for', () => {
    const chain = simclrChain({ strength: 0.5 });
    const indices = Array.from({ length: 500 }, (_, i) => i);
    const records = chain
      .sampleRecords({ seed: 0, epoch: 0, indices, imageSize: 64 })
      .filter((record) => record['colorJitter.applied'] === 1);
    const extremes = (column: string) => {
      const values = records.map((record) => record[`colorJitter.${column}`] as number);
      return [Math.min(...values), Math.max(...values)].map((value) => Number(value.toFixed(1)));
    };
    expect(extremes('brightness')).toEqual([0.6, 1.4]);
    expect(extremes('contrast')).toEqual([0.6, 1.4]);
    expect(extremes('saturation')).toEqual([0.6, 1.4]);
    expect(extremes('hue')).toEqual([-0.1, 0.1]);
  });

  it('leave out what has probability 0', () => {
    const quick = solarizingChain({ cropScale: [0.2, 1], strength: 0.5, blurProbability: 0 });
    expect(quick.columns.some((column) => column.includes('Blur'))).toBe(false);
  });
});

describeEngines('a chain', () => {
  const images = (): tf.Tensor4D => tf.randomUniform([3, 18, 22, 3], 0, 1, 'float32', 11);
  const tableOf = (chain: Chain, views = 2): tf.Tensor2D => chain.sampleTable({ ...sampleOptions, views });
  /** The transforms one after the other, whatever kernel the engine has. */
  const oneByOne = (chain: Chain, x: tf.Tensor4D, table: tf.Tensor2D): tf.Tensor4D => {
    let begin = 0;
    return chain.transforms.reduce(
      (views, transform) => {
        const part = tf.slice(table, [0, begin], [-1, transform.columns.length]) as tf.Tensor2D;
        begin += transform.columns.length;
        return transform.apply(views, part);
      },
      tf.tile(x, [table.shape[0] / x.shape[0], 1, 1, 1]) as tf.Tensor4D,
    );
  };

  it.each(Object.keys(chains))('equals its transforms one by one: %s', async (name) => {
    const chain = chains[name]!();
    const x = images();
    const table = tableOf(chain);
    const y = chain.apply(x, table);
    expect(y.shape).toEqual([6, ...chain.outputSize([18, 22]), 3]);
    await expectClose(y, oneByOne(chain, x, table), { atol: 1e-5 });
  });

  it.each([
    [1, 3, 4],
    [7, 9, 5],
    [33, 30, 8],
    [5, 6, 41],
  ])('does so from %i x %i pixels to %i', async (height, width, size) => {
    const chain = compose([
      strongJitter(),
      randomResizedCrop({ size }),
      randomHorizontalFlip(),
      randomGaussianBlur({ kernelSize: size > 20 ? 9 : 3 }),
    ]);
    const x = tf.randomUniform([2, height, width, 3], 0, 1, 'float32', 4) as tf.Tensor4D;
    const table = chain.sampleTable({ ...sampleOptions, indices: [0, 1], imageSize: [height, width] });
    await expectClose(chain.apply(x, table), oneByOne(chain, x, table), { atol: 1e-5 });
  });

  it('has the kernel where the engine says so', () => {
    const chain = solarizingChain({ size: 8 });
    const run = () => augmentImages(images(), tableOf(chain), chain.stages!, { size: [8, 8] });
    if (hasKernel('AugmentImages')) expect(run().shape).toEqual([6, 8, 8, 3]);
    else expect(run).toThrow("must have the kernel 'AugmentImages'");
  });

  it('keeps runs of neighbours fused around a transform without stages', async () => {
    const chain = chains['a stranger in the middle']!();
    expect(chain.stages).toBeNull();
    const x = images();
    const table = tableOf(chain);
    const runKernel = vi.spyOn(tf.engine(), 'runKernel');
    chain.apply(x, table);
    const stages = runKernel.mock.calls
      .filter(([name]) => name === 'AugmentImages')
      .map(([, , attributes]) => (attributes as unknown as { stages: Array<{ kind: string }> }).stages);
    runKernel.mockRestore();
    const kinds = stages.map((run) => run.map(({ kind }) => kind));
    expect(kinds).toEqual(
      hasKernel('AugmentImages')
        ? [
            ['resizedCrop', 'horizontalFlip'],
            ['colorJitter', 'gaussianBlur'],
          ]
        : [],
    );
  });

  it('makes views in one call', async () => {
    const chain = solarizingChain({ size: 12 });
    const x = images();
    const { imageSize: _, ...keys } = sampleOptions;
    await expectClose(chain.makeViews(x, keys), chain.apply(x, tableOf(chain)), {});
    await expectNoLeak(() => chain.makeViews(x, keys).dispose());
    expect(() => chain.makeViews(x, { ...keys, indices: [1, 2] })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: makeViews: indices must hold 3 elements, one per image, got 2. Pass the positions of these images in their data set.]`,
    );
  });

  it('refuses numbers that were drawn for images of another size, or for another chain', () => {
    const chain = solarizingChain({ size: 12 });
    const x = images();
    const other = { ...sampleOptions, imageSize: 9 };
    expect(() => chain.apply(x, chain.sampleTable(other))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: chain: parameters must be sampled for images of 18 x 22 pixels, got parameters for images of 9 x 9. When you sample, pass the size of these images as imageSize.]`,
    );
    expect(() => chain.apply(x, chain.sampleRecords(other))).toThrow(/sampled for images of 18 x 22 pixels/);
    const packed = packImages(new Uint8Array(3 * 18 * 22 * 3), [18, 22]);
    const indices = tf.tensor1d([0, 1, 2], 'int32');
    expect(() => chain.applyPacked(packed, indices, chain.sampleTable(other))).toThrow(/sampled for images of 18 x 22/);
    const flipFirst = compose([randomHorizontalFlip(), randomGrayscale()]);
    const grayFirst = compose([randomGrayscale(), randomHorizontalFlip()]);
    expect(() => flipFirst.apply(x, grayFirst.sampleTable(sampleOptions))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: chain: parameters must have the columns randomHorizontalFlip.applied, randomGrayscale.applied, got randomGrayscale.applied, randomHorizontalFlip.applied. Sample the parameters with the chain that applies them.]`,
    );
    expect(flipFirst.apply(x, compose(flipFirst.transforms).sampleTable(sampleOptions)).shape).toEqual([6, 18, 22, 3]);
  });

  it('makes views in rows: r belongs to image r mod N', async () => {
    const chain = solarizingChain({ size: 12 });
    const x = images();
    const table = tableOf(chain);
    const views = chain.apply(x, table);
    const alone = chain.apply(tf.slice(x, 1, 1), tf.slice(table, 4, 1) as tf.Tensor2D);
    await expectClose(tf.slice(views, 4, 1), alone, { atol: 1e-6 });
  });

  it('takes records, too', async () => {
    const chain = solarizingChain({ size: 12 });
    const x = images();
    const records = chain.sampleRecords(sampleOptions);
    await expectClose(chain.apply(x, records), chain.apply(x, tableOf(chain)), {});
  });

  it('leaves out what is not applied, bit for bit', async () => {
    const chain = compose([
      randomHorizontalFlip(),
      randomApply(compose([strongJitter(), randomGrayscale()]), { p: 0 }),
      randomGaussianBlur({ kernelSize: 3 }),
    ]);
    const x = images();
    await expectClose(chain.apply(x, Array(3).fill(chain.skipped)), x, {});
  });

  it('does the same to other numbers of channels', async () => {
    const chain = compose([randomHorizontalFlip({ p: 1 }), randomSolarize({ p: 1, threshold: 1 })]);
    const x = tf.randomUniform([2, 4, 4, 1], 0, 0.99, 'float32', 1) as tf.Tensor4D;
    const table = chain.sampleTable({ ...sampleOptions, indices: [0, 1], views: 1, imageSize: 4 });
    await expectClose(chain.apply(x, table), tf.reverse(x, 2), {});
  });

  it('gives back all memory', async () => {
    const chain = solarizingChain({ size: 8 });
    const x = images();
    const table = tableOf(chain);
    chain.apply(x, table).dispose();
    await expectNoLeak(() => chain.apply(x, table).dispose());
  });

  it('says once that images are those of 0 to 255', async () => {
    const x = images();
    const bytes = tf.mul(x, 255) as tf.Tensor4D;
    const table = tableOf(solarizingChain({ size: 12 }));
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    try {
      const message = await sayingOf(solarizingChain({ size: 12 }), bytes, table);
      expect(message.replace(/up to [\d.]+/, 'up to 254')).toMatchInlineSnapshot(
        `"chain: images must be in [0, 1], got values up to 254 Divide images of 0 to 255 by 255: tf.div(images, 255)."`,
      );
      const chain = solarizingChain({ size: 12 });
      expect(await sayingOf(chain, x, table)).toBe('');
      expect(await sayingOf(chain, bytes, table)).toBe(''); // only the first batch is looked at
      const normalised = compose([
        normalizeImages(imagenet),
        randomApply(compose([randomHorizontalFlip(), randomGamma()]), { p: 1 }),
      ]);
      expect(await sayingOf(normalised, x, tableOf(normalised))).toBe('');
    } finally {
      warn.mockRestore();
    }

    async function sayingOf(chain: Chain, batch: tf.Tensor4D, numbers: tf.Tensor2D): Promise<string> {
      warn.mockClear();
      try {
        await chain.apply(batch, numbers).data();
        await new Promise((resolve) => setTimeout(resolve));
      } catch (error) {
        return (error as Error).message;
      }
      return String(warn.mock.calls[0] ?? '');
    }
  });

  it('refuses what does not fit', () => {
    const chain = compose([randomHorizontalFlip(), randomGrayscale()]);
    const x = images();
    expect(() => chain.apply(x, tf.zeros([4, 2]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: chain: parameters must have a multiple of 3 rows, one per view of each image, got 4. Sample the table for these images.]`,
    );
    expect(() => chain.apply(x, tf.zeros([6, 3]))).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: chain: parameters must have 6 rows, one per image, of 2 columns (randomHorizontalFlip.applied, randomGrayscale.applied), got shape [6, 3]. Sample once for every image.]`,
    );
    expect(() => chain.apply(tf.cast(x, 'int32'), tf.zeros([3, 2]))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: chain: images must be float32 in [0, 1], got int32. Convert them: tf.div(tf.cast(images, 'float32'), 255).]`,
    );
    expect(() =>
      chain.apply(x, Array(3).fill({ 'randomHorizontalFlip.applied': Number.NaN })),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: chain: parameters[0]['randomHorizontalFlip.applied'] must be a finite number, got NaN. Pass what sample() returns.]`,
    );
  });
});
