import { encoders } from '../tables/encoders.ts';
import { losses } from '../tables/losses.ts';
import { normalizations } from '../tables/normalizations.ts';
import { optimizers } from '../tables/optimizers.ts';
import { schedules } from '../tables/schedules.ts';
import { choice, type Field, interval, number, numbers, presets, scales } from './field.ts';

const probability = { min: 0, max: 1 } as const;
const count = { min: 1, integer: true } as const;
const seed = { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true } as const;
const names = <Name extends string>(table: Readonly<Record<Name, unknown>>): Name[] => Object.keys(table) as Name[];

/**
 * Everything that decides the numbers of a run: what it takes, its defaults and a line of help. `config.json` holds a value of each in this
 * order, `--set` changes one, `--help settings` lists all.
 */
export const settingsTable = {
  preset: choice(presets, {
    default: 'paper',
    help: 'Recipe: the reproduced paper, its baseline (no solarize, wide head), the original SimCLR (same as baseline at the quick scale), or recommended, what a study found better',
  }),
  scale: choice(scales, {
    default: 'quick',
    help: 'Size: quick takes minutes on two processor cores; full is the whole experiment',
  }),
  precision: choice(['float32', 'mixed'], { default: 'float32', help: 'Arithmetic of a training step' }),
  seed: number({ rule: seed, default: 0, help: 'Seed for weights, image order and augmentations' }),
  imageSeed: number({ rule: seed, default: 0, help: 'Seed of generated images: runs with other seeds see the same' }),
  classes: number({
    rule: { min: 2, integer: true },
    default: 200,
    quick: 10,
    help: 'Number of classes, spread evenly over the sorted list',
  }),
  imagesPerClass: number({ rule: count, default: 500, help: 'Training images per class' }),
  imageSize: number({
    rule: { min: 8, max: 1024, integer: true },
    unit: 'pixels',
    default: 64,
    help: 'Side of images and views; Tiny ImageNet has 64',
  }),
  normalization: choice(names(normalizations), {
    default: 'none',
    recommended: 'imagenet',
    help: "Of views and images before the encoder: none, ImageNet's mean and deviation, or half (to [-1, 1])",
  }),
  augmentation: {
    cropScale: interval({
      rule: { above: 0, max: 1 },
      default: [0.08, 1],
      recommended: [0.08, 1],
      quick: [0.2, 1],
      help: "Smallest and largest area of a crop, as fractions of the image's area",
    }),
    cropRatio: interval({
      rule: { above: 0 },
      default: [3 / 4, 4 / 3],
      help: "Smallest and largest ratio of a crop's width to its height",
    }),
    flipProbability: number({ rule: probability, default: 0.5, help: 'Probability of a horizontal flip' }),
    solarizeProbability: number({
      rule: probability,
      default: 0.2,
      baseline: 0,
      help: 'Probability of inverting the bright values',
    }),
    solarizeThreshold: number({
      rule: probability,
      default: 128 / 255,
      help: 'Values from here on are inverted, as a fraction of white',
    }),
    jitterProbability: number({ rule: probability, default: 0.8, help: 'Probability of the colour jitter' }),
    jitterStrength: number({
      rule: { min: 0, max: 2.5 },
      default: 1,
      recommended: 0.5,
      quick: 0.5,
      help: "Factor on the colour jitter's brightness, contrast, saturation (0.8) and hue (0.2)",
    }),
    grayscaleProbability: number({ rule: probability, default: 0.2, help: 'Probability of a gray view' }),
    blurProbability: number({
      rule: probability,
      default: 1,
      simclr: 0.5,
      recommended: 0,
      quick: 0,
      help: 'Probability of the Gaussian blur; its kernel has a tenth of the side',
    }),
    blurSigma: interval({
      rule: { above: 0 },
      unit: 'pixels',
      default: [0.1, 2],
      help: 'Smallest and largest standard deviation of the blur',
    }),
  },
  encoder: {
    name: choice(names(encoders), { default: 'resnet18', help: 'Architecture of the encoder' }),
    stem: choice(['imagenet', 'small'], {
      default: 'imagenet',
      help: 'First layers: of a ResNet 7x7 with stride 2 and a pool, of an EfficientNet 3x3 with stride 2; or 3x3 with stride 1 for small images',
    }),
    width: number({
      rule: count,
      unit: 'channels',
      default: 64,
      quick: 16,
      help: 'Of the first stage of a ResNet; the others have 2, 4 and 8 times as many. EfficientNet is scaled alike, with 64 for its standard width',
    }),
  },
  head: {
    hiddenSizes: numbers({
      rule: count,
      default: [256],
      baseline: [512],
      help: 'Sizes of the hidden layers of the projection head; none for a linear head',
    }),
    outputSize: number({ rule: count, default: 128, help: 'Dimension of the space in which views are compared' }),
    batchNorm: choice(['none', 'hidden', 'all'], {
      default: 'none',
      help: 'Linear layers of the head that batch norm follows',
    }),
  },
  loss: choice(names(losses), {
    default: 'ntXent',
    recommended: 'dcl',
    help: 'NT-Xent, or DCL, which leaves the positive out of the comparison',
  }),
  temperature: number({
    rule: { above: 0 },
    default: 0.07,
    simclr: 0.5,
    recommended: 0.2,
    quick: 0.1,
    help: 'Divisor of the cosine similarities in the loss',
  }),
  optimizer: {
    name: choice(names(optimizers), { default: 'adam', simclr: 'lars', quick: 'adam', help: 'Rule of the updates' }),
    learningRate: number({
      rule: { min: 0 },
      default: 3e-4,
      simclr: 1.2,
      recommended: 3e-4,
      quick: 2e-3,
      help: 'Largest learning rate; if not set, lars takes 0.075 sqrt(batchSize) and sgd 0.03 batchSize / 256',
    }),
    weightDecay: number({
      rule: { min: 0 },
      default: 1e-4,
      simclr: 1e-6,
      recommended: 1e-4,
      quick: 1e-6,
      help: 'Strength of the weight decay',
    }),
    momentum: number({ rule: { min: 0, below: 1 }, default: 0.9, help: 'Decay rate of the velocity, of sgd and lars' }),
  },
  schedule: {
    name: choice(names(schedules), {
      default: 'epochCosine',
      simclr: 'cosine',
      recommended: 'epochCosine',
      quick: 'cosine',
      help: "Course of the learning rate: constant, warm-up and a cosine to 0, or the paper's nearly flat cosine",
    }),
    warmupEpochs: number({
      rule: { min: 0, integer: true },
      unit: 'epochs',
      default: 0,
      simclr: 10,
      quick: 0,
      help: 'Linear warm-up of the schedule cosine; at most a fifth of the run',
    }),
    warmupSteps: number({
      rule: { min: 0, integer: true },
      unit: 'steps',
      default: 0,
      recommended: 0,
      quick: 20,
      help: 'Added to warmupEpochs',
    }),
  },
  epochs: number({ rule: count, default: 50, quick: 16, help: 'Passes over the training images' }),
  batchSize: number({
    rule: { min: 2, integer: true },
    unit: 'images',
    default: 256,
    quick: 32,
    help: 'Images per step; each gives two views',
  }),
  neighbours: number({ rule: count, default: 200, quick: 20, help: 'k of the kNN evaluation' }),
} as const;

type ValuesOf<Table> = {
  readonly [Name in keyof Table]: Table[Name] extends Field<infer Value> ? Value : ValuesOf<Table[Name]>;
};

/** Everything that decides the numbers of a run. It is saved in the run folder and must be the same on a resume. */
export interface Settings extends ValuesOf<typeof settingsTable> {}

/** The dotted names of settings, with their values. */
type FlatSettings = Flat<Settings>;
type Flat<Tree> = UnionToIntersection<
  {
    [Name in keyof Tree & string]: Tree[Name] extends readonly unknown[] | string | number
      ? { readonly [Key in Name]: Tree[Name] }
      : Prefixed<Name, Flat<Tree[Name]>>;
  }[keyof Tree & string]
>;
type Prefixed<Group extends string, Tree> = {
  readonly [Name in keyof Tree & string as `${Group}.${Name}`]: Tree[Name];
};
type UnionToIntersection<Union> = (Union extends unknown ? (part: Union) => void : never) extends (
  part: infer All,
) => void
  ? All
  : never;

/** The dotted name of a setting. */
export type SettingName = keyof FlatSettings & string;

/** Some settings by their dotted names; the others are the preset's. */
export type GivenSettings = Partial<FlatSettings>;

/** All fields by dotted names, in order. */
export const fields: ReadonlyMap<SettingName, Field<unknown>> = new Map(leavesOf(settingsTable, ''));

function leavesOf(table: object, prefix: string): Array<[SettingName, Field<unknown>]> {
  return Object.entries(table).flatMap(
    ([name, inner]): Array<[SettingName, Field<unknown>]> =>
      'takes' in inner ? [[`${prefix}${name}` as SettingName, inner]] : leavesOf(inner, `${prefix}${name}.`),
  );
}

/** Settings as one level of dotted names. */
export function flatten(settings: object): Record<string, unknown> {
  return Object.fromEntries(entriesOf(settings, ''));
}

function entriesOf(settings: object, prefix: string): Array<[string, unknown]> {
  return Object.entries(settings).flatMap(
    ([name, value]): Array<[string, unknown]> =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? entriesOf(value, `${prefix}${name}.`)
        : [[`${prefix}${name}`, value]],
  );
}

/** The tree of values by dotted names. */
export function unflatten(flat: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const tree: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(flat)) {
    const names = path.split('.');
    let at = tree;
    for (const name of names.slice(0, -1)) {
      at[name] ??= {};
      at = at[name] as Record<string, unknown>;
    }
    at[names.at(-1) as string] = value;
  }
  return tree;
}
