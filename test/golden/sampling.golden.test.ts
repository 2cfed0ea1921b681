import {
  colorJitter,
  imageRng,
  type Parameters,
  randomApply,
  randomGaussianBlur,
  randomGrayscale,
  randomHorizontalFlip,
  randomResizedCrop,
  randomSolarize,
  type Transform,
} from '@tfjs-ssl/augmentations';
import { expect } from 'vitest';
import { describeGolden, type GoldenCase, type GoldenGroup } from './harness.ts';

const draws = 20_000;
const size = [64, 64] as const;

/** The numbers of as many images, each with the generator of its own key, as in training. */
function sample(transform: Transform, imageSize: readonly [number, number] = size): Parameters[] {
  return Array.from({ length: draws }, (_, image) =>
    transform.sample(imageRng({ seed: 'golden sampling', epoch: 0, image, view: 0 }), imageSize),
  );
}

const sorted = (values: Iterable<number>): Float64Array => Float64Array.from(values).sort();

/** How many of the sorted values are at most x. */
function countUpTo(values: ArrayLike<number>, x: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((values[middle] as number) <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** sup |F_a - F_b|, both steps of the distribution functions seen. */
function twoSampleDistance(a: Float64Array, b: Float64Array): number {
  const gap = (x: number) => Math.abs(countUpTo(a, x) / a.length - countUpTo(b, x) / b.length);
  return Math.max(...[...new Set([...a, ...b])].map(gap));
}

/** sup |F - law| for a uniform law. */
function uniformDistance(values: Float64Array, low: number, high: number): number {
  let distance = 0;
  values.forEach((value, i) => {
    const law = (value - low) / (high - low);
    distance = Math.max(distance, Math.abs((i + 1) / values.length - law), Math.abs(i / values.length - law));
  });
  return distance;
}

const ksLimit = (group: GoldenGroup, n: number, m: number): number =>
  group.doc.how_to_compare.ks_c * Math.sqrt((n + m) / (n * m));

function expectQuantiles(name: string, values: Float64Array, golden: GoldenCase): void {
  for (const { value, cdf_upto: expected } of golden.summary[name].quantiles) {
    const fraction = countUpTo(values, value) / values.length;
    const allowed = 5 * Math.sqrt(expected * (1 - expected) * (1 / values.length + 1 / golden.summary[name].n));
    expect(Math.abs(fraction - expected), `fraction of ${name} up to ${value}`).toBeLessThanOrEqual(allowed);
  }
}

function expectRate(name: string, count: number, p: number): void {
  const allowed = 5 * Math.sqrt((p * (1 - p)) / draws);
  expect(Math.abs(count / draws - p), `rate of ${name}`).toBeLessThanOrEqual(allowed);
}

type Box = { top: number; left: number; height: number; width: number };

/** The quantities of a crop that the files summarise. */
const cropQuantities = (height: number, width: number): Record<string, (boxes: Box[]) => number[]> => ({
  area_fraction: (boxes) => boxes.map((box) => (box.height * box.width) / (height * width)),
  aspect_w_over_h: (boxes) => boxes.map((box) => box.width / box.height),
  log_aspect: (boxes) => boxes.map((box) => Math.log(box.width / box.height)),
  top: (boxes) => boxes.map((box) => box.top),
  left: (boxes) => boxes.map((box) => box.left),
  top_over_free: (boxes) => boxes.filter((box) => box.height < height).map((box) => box.top / (height - box.height)),
  height: (boxes) => boxes.map((box) => box.height),
  width: (boxes) => boxes.map((box) => box.width),
});

function cropCase(golden: GoldenCase, group: GoldenGroup): void {
  const { height, width, scale, ratio } = golden.params;
  const boxes = sample(randomResizedCrop({ size: 64, scale, ratio }), [height, width]) as unknown as Box[];
  const { data } = group.tensor(golden.samples);
  const reference = Array.from({ length: data.length / 4 }, (_, i) => {
    const [top, left, boxHeight, boxWidth] = data.subarray(4 * i, 4 * i + 4) as unknown as [
      number,
      number,
      number,
      number,
    ];
    return { top, left, height: boxHeight, width: boxWidth };
  });
  const quantities = cropQuantities(height, width);
  expect(Object.keys(golden.summary).filter((name) => !(name in quantities))).toEqual([]);
  for (const [name, of] of Object.entries(quantities)) {
    const [got, expected] = [sorted(of(boxes)), sorted(of(reference))];
    const distance = twoSampleDistance(got, expected);
    expect(distance, `Kolmogorov-Smirnov, ${name}`).toBeLessThan(ksLimit(group, got.length, expected.length));
    if (name in golden.summary) expectQuantiles(name, got, golden);
  }
  const whole = (all: Box[]) => all.filter((box) => box.height === height && box.width === width).length / all.length;
  const expected = whole(reference);
  const allowed = 5 * Math.sqrt(Math.max(expected, 1 / draws) * (1 / draws + 1 / reference.length));
  expect(Math.abs(whole(boxes) - expected), 'rate of whole images').toBeLessThanOrEqual(allowed);
}

function jitterCase(golden: GoldenCase, group: GoldenGroup): void {
  const drawn = sample(colorJitter(golden.params));
  const grid = group.tensor(golden.quantile_grid_1001);
  const columns: string[] = golden.quantile_grid_columns;
  columns.forEach((name, column) => {
    const values = sorted(drawn.map((parameters) => parameters[name] as number));
    const [, low, high] = golden.law[name];
    expect(values[0], `smallest ${name}`).toBeGreaterThanOrEqual(low);
    expect(values.at(-1), `largest ${name}`).toBeLessThanOrEqual(high);
    // One sample against the law itself: the reference counts as infinitely many draws.
    const limit = ksLimit(group, draws, Number.MAX_SAFE_INTEGER);
    expect(uniformDistance(values, low, high), `Kolmogorov-Smirnov, ${name}`).toBeLessThan(limit);
    expectQuantiles(name, values, golden);
    const rows = grid.shape[0] as number;
    const critical = ksLimit(group, draws, group.doc.samples);
    for (let row = 0; row < rows; row++) {
      const fraction = countUpTo(values, grid.data[row * columns.length + column] as number) / draws;
      expect(Math.abs(fraction - row / (rows - 1)), `${name} at quantile ${row}`).toBeLessThan(critical);
    }
  });
  const counts = new Map<string, number>();
  for (const { first, second, third, fourth } of drawn) {
    const order = `${first}${second}${third}${fourth}`;
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect([...counts.keys()].sort()).toEqual(Object.keys(golden.order_counts).sort());
  const mean = draws / counts.size;
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
  expect(chiSquare, 'chi-square of the orders').toBeLessThan(Number.parseFloat(golden.order_chi2_23dof_max));
}

/** Every transform that has a probability, at the probability of the case. */
function bernoulliCase(golden: GoldenCase): void {
  const { p } = golden.params;
  const transforms: Record<string, Transform> = {
    randomHorizontalFlip: randomHorizontalFlip({ p }),
    randomGrayscale: randomGrayscale({ p }),
    randomSolarize: randomSolarize({ p }),
    randomGaussianBlur: randomGaussianBlur({ kernelSize: 3, p }),
    randomApply: randomApply(colorJitter({ brightness: 0.5 }), { p }),
  };
  for (const [name, transform] of Object.entries(transforms)) {
    expectRate(name, sample(transform).filter(({ applied }) => applied === 1).length, p);
  }
}

function sigmaCase(golden: GoldenCase, group: GoldenGroup): void {
  const { low, high } = golden.params;
  const values = sorted(
    sample(randomGaussianBlur({ kernelSize: 3, sigma: [low, high] })).map(({ sigma }) => sigma as number),
  );
  expect(uniformDistance(values, low, high), 'Kolmogorov-Smirnov, sigma').toBeLessThan(
    ksLimit(group, draws, Number.MAX_SAFE_INTEGER),
  );
}

const tests: Record<string, (golden: GoldenCase, group: GoldenGroup) => void> = {
  'RandomResizedCrop.get_params': cropCase,
  'ColorJitter.get_params': jitterCase,
  bernoulli: bernoulliCase,
  uniform: sigmaCase,
};

await describeGolden(
  'sampling',
  (golden) => {
    const test = tests[golden.op as string];
    return test && { run: (group) => test(golden, group) };
  },
  { engines: false },
);
