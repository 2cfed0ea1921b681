import { describe, expect, it } from 'vitest';
import { byolChains } from './byol-chains.ts';
import type { Chain } from './compose.ts';
import { dinoChains, swavChains } from './multi-crop.ts';

const records = (chain: Chain) =>
  chain.sampleRecords({
    seed: 0,
    epoch: 0,
    indices: Array.from({ length: 2000 }, (_, i) => i),
    imageSize: 224,
    views: 1,
  });
const kinds = (chain: Chain) => chain.stages?.map(({ kind }) => kind);

/** How often a transform is applied. */
const rate = (chain: Chain, name: string) => {
  const column = `${name}.applied`;
  if (!chain.columns.includes(column)) return 0;
  const all = records(chain);
  return all.filter((record) => record[column] === 1).length / all.length;
};
const expectRates = (chain: Chain, rates: Readonly<Record<string, number>>) => {
  for (const [name, p] of Object.entries(rates)) {
    expect(Math.abs(rate(chain, name) - p), name).toBeLessThanOrEqual(3 * Math.sqrt((p * (1 - p)) / 2000));
  }
};
/** Smallest and largest number of a column among the views that are transformed, or of the crops' areas. */
const range = (chain: Chain, column: string) => {
  const values = records(chain)
    .filter((record) => record[`${column.split('.')[0]}.applied`] !== 0)
    .map((record) => record[column] as number);
  return [Math.min(...values), Math.max(...values)].map((value) => Number(value.toFixed(1)));
};
const areas = (chain: Chain) => {
  const values = records(chain).map((r) => (r['randomResizedCrop.height']! * r['randomResizedCrop.width']!) / 224 ** 2);
  return [Math.min(...values), Math.max(...values)].map((value) => Number(value.toFixed(2)));
};

describe('the chains of a paper', () => {
  it("are BYOL's, table 6", () => {
    const [first, second] = byolChains({ size: 224 });
    const shared = { randomHorizontalFlip: 0.5, colorJitter: 0.8, randomGrayscale: 0.2 };
    expectRates(first, { ...shared, randomGaussianBlur: 1, randomSolarize: 0 });
    expectRates(second, { ...shared, randomGaussianBlur: 0.1, randomSolarize: 0.2 });
    expect(kinds(second)).toEqual([
      'resizedCrop',
      'horizontalFlip',
      'colorJitter',
      'grayscale',
      'gaussianBlur',
      'solarize',
    ]);
    expect(second.stages).toContainEqual({ kind: 'gaussianBlur', kernelSize: 23 });
    for (const chain of [first, second]) {
      expect(range(chain, 'colorJitter.brightness')).toEqual([0.6, 1.4]);
      expect(range(chain, 'colorJitter.contrast')).toEqual([0.6, 1.4]);
      expect(range(chain, 'colorJitter.saturation')).toEqual([0.8, 1.2]);
      expect(range(chain, 'colorJitter.hue')).toEqual([-0.1, 0.1]);
      expect(range(chain, 'randomGaussianBlur.sigma')).toEqual([0.1, 2]);
      expect(areas(chain)).toEqual([0.08, 1]);
    }
    expect(range(second, 'randomSolarize.threshold')).toEqual([0.5, 0.5]);
  });

  it("are SwAV's: two large crops and six small ones", () => {
    const { large, small } = swavChains({ size: 224, smallSize: 96 });
    expect([large.length, small.length]).toEqual([2, 6]);
    const rates = { randomHorizontalFlip: 0.5, colorJitter: 0.8, randomGrayscale: 0.2, randomGaussianBlur: 0.5 };
    for (const chain of [large[0], small[0]!]) {
      expectRates(chain, { ...rates, randomSolarize: 0 });
      expect(range(chain, 'colorJitter.saturation')).toEqual([0.2, 1.8]);
      expect(range(chain, 'colorJitter.hue')).toEqual([-0.2, 0.2]);
    }
    expect(areas(large[0])).toEqual([0.14, 1]);
    expect(areas(small[0]!)).toEqual([0.05, 0.14]);
    expect(small[0]!.outputSize([224, 224])).toEqual([96, 96]);
  });

  it("are DINO's: two large crops that differ and eight small ones", () => {
    const { large, small } = dinoChains({ size: 224, smallSize: 96 });
    expect([large.length, small.length]).toEqual([2, 8]);
    expectRates(large[0], { randomGaussianBlur: 1, randomSolarize: 0 });
    expectRates(large[1], { randomGaussianBlur: 0.1, randomSolarize: 0.2 });
    expectRates(small[0]!, { randomGaussianBlur: 0.5, randomSolarize: 0, colorJitter: 0.8 });
    expect(areas(large[1])).toEqual([0.4, 1]);
    expect(areas(small[0]!)).toEqual([0.05, 0.4]);
  });

  it('take normalisation last', () => {
    const normalize = { mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2] };
    expect(kinds(byolChains({ normalize })[1])?.at(-1)).toBe('normalize');
    expect(kinds(swavChains({ normalize }).small[0]!)?.at(-1)).toBe('normalize');
  });
});
