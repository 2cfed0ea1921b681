import * as tf from '@tensorflow/tfjs-core';
import {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
  colorJitter,
  compose,
  gaussianBlur,
  horizontalFlip,
  normalize,
  normalizeImages,
  type Parameters,
  randomGaussianBlur,
  randomGrayscale,
  randomHorizontalFlip,
  randomResizedCrop,
  randomSolarize,
  resizedCrop,
  solarize,
  type Transform,
  toGrayscale,
} from '@tfjs-ssl/augmentations';
import { valuesOf } from '@tfjs-ssl/testing';
import { describeGolden, expectGolden, type GoldenCase, type GoldenGroup } from './harness.ts';

console.log(
  'golden augment: images are float32 in [0, 1] here, so the expectations `float` are met; those of 8-bit implementations (`u8`, ' +
    '`pil`: rounding after every step) are not ours, except for reference_blur, which has no other.',
);

/** What a case asks for: the plain functions, and the same by a chain, which an engine may run as one kernel. */
interface Ways {
  readonly functions?: (x: tf.Tensor4D) => tf.Tensor4D;
  readonly chain: ReadonlyArray<readonly [Transform, Parameters]>;
}

const plain = { brightness: 1, contrast: 1, saturation: 1, hue: 0 };

function jitter(
  [first, second, third, fourth]: number[],
  [brightness, contrast, saturation, hue]: number[],
): Parameters {
  return { applied: 1, first, second, third, fourth, brightness, contrast, saturation, hue } as Parameters;
}

const anyJitter = colorJitter({});
const anyBlur = (kernelSize: number) => randomGaussianBlur({ kernelSize });

// biome-ignore lint/suspicious/noExplicitAny: the files define the fields
const ways: Record<string, (params: any) => Ways> = {
  resized_crop: ({ top, left, height, width, size, antialias }) => ({
    functions: (x) => resizedCrop(x, { top, left, height, width }, { size, antialias }),
    chain: [[randomResizedCrop({ size, antialias }), { top, left, height, width }]],
  }),
  hflip: () => ({ functions: horizontalFlip, chain: [[randomHorizontalFlip(), { applied: 1 }]] }),
  solarize: ({ threshold_float: threshold }) => ({
    functions: (x) => solarize(x, threshold),
    chain: [[randomSolarize(), { applied: 1, threshold }]],
  }),
  brightness: ({ factor }) => ({
    functions: (x) => adjustBrightness(x, factor),
    chain: [[anyJitter, { ...jitter([0, 1, 2, 3], Object.values(plain)), brightness: factor }]],
  }),
  contrast: ({ factor }) => ({
    functions: (x) => adjustContrast(x, factor),
    chain: [[anyJitter, { ...jitter([0, 1, 2, 3], Object.values(plain)), contrast: factor }]],
  }),
  saturation: ({ factor }) => ({
    functions: (x) => adjustSaturation(x, factor),
    chain: [[anyJitter, { ...jitter([0, 1, 2, 3], Object.values(plain)), saturation: factor }]],
  }),
  hue: ({ factor }) => ({
    functions: (x) => adjustHue(x, factor),
    chain: [[anyJitter, { ...jitter([0, 1, 2, 3], Object.values(plain)), hue: factor }]],
  }),
  gray: () => ({ functions: toGrayscale, chain: [[randomGrayscale(), { applied: 1 }]] }),
  normalize: ({ mean, std }) => ({
    functions: (x) => normalize(x, { mean, std }),
    chain: [[normalizeImages({ mean, std }), { applied: 1 }]],
  }),
  jitter: ({ order, factors }) => ({ chain: [[anyJitter, jitter(order, factors)]] }),
  gaussian_blur: ({ kernel, sigma }) => ({
    functions: (x) => gaussianBlur(x, { kernelSize: kernel, sigma }),
    chain: [[anyBlur(kernel), { applied: 1, sigma }]],
  }),
  chain: ({ crop, size, flip, jitter: j, gray, blur, solarize: inverted, normalize: normalized, mean, std }) => ({
    chain: [
      [randomResizedCrop({ size }), { top: crop[0], left: crop[1], height: crop[2], width: crop[3] }],
      [randomHorizontalFlip(), { applied: Number(flip) }],
      [anyJitter, j ? jitter(j.order, j.factors) : { ...jitter([0, 1, 2, 3], Object.values(plain)), applied: 0 }],
      [randomGrayscale(), { applied: Number(gray) }],
      [anyBlur(blur?.kernel ?? 3), { applied: Number(blur !== null), sigma: blur?.sigma ?? 1 }],
      [randomSolarize(), { applied: Number(inverted), threshold: 128 / 255 }],
      [normalizeImages({ mean, std }), { applied: Number(normalized) }],
    ],
  }),
};

/** One image of the set as a batch, float32(u8 / 255). */
function imageOf(group: GoldenGroup, index: number): tf.Tensor4D {
  const { shape, data } = group.tensor('images_u8');
  const [, height, width, channels] = shape as [number, number, number, number];
  const length = height * width * channels;
  const values = Float32Array.from(data.subarray(index * length, (index + 1) * length), (value) => value / 255);
  return tf.tensor4d(values, [1, height, width, channels]);
}

function runChain(x: tf.Tensor4D, steps: Ways['chain']): tf.Tensor4D {
  const chain = compose(steps.map(([transform]) => transform));
  const row = steps.flatMap(([transform, parameters]) =>
    transform.columns.map((column) => parameters[column] as number),
  );
  return chain.apply(x, tf.tensor2d(row, [1, chain.columns.length]));
}

async function runFloat(golden: GoldenCase, group: GoldenGroup): Promise<void> {
  const { functions, chain } = (ways[golden.op as string] as (params: unknown) => Ways)(golden.params);
  const image = () => imageOf(group, golden.image);
  if (functions) expectGolden(group, 'function', await valuesOf(() => functions(image())), golden.expected.float);
  expectGolden(group, 'chain', await valuesOf(() => runChain(image(), chain)), golden.expected.float);
}

/** The reference's blur cuts 255 y off to an integer; the tolerance is a level. */
async function runReferenceBlur(golden: GoldenCase, group: GoldenGroup): Promise<void> {
  const { kernel, sigma } = golden.params;
  const blurred = await valuesOf(() => gaussianBlur(imageOf(group, golden.image), { kernelSize: kernel, sigma }));
  const levels = blurred.map((value) => Math.trunc(255 * value));
  expectGolden(group, 'levels', levels, golden.expected.u8);
}

await describeGolden('augment', (golden) => {
  if (golden.op === 'reference_blur') return { run: (group) => runReferenceBlur(golden, group) };
  if (golden.op && golden.op in ways && golden.expected.float) return { run: (group) => runFloat(golden, group) };
  return undefined;
});
