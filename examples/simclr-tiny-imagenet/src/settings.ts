import type { Options } from './options.ts';

/** Everything that decides the numbers of a run. It is saved in the run folder and has to be the same on a resume. */
export interface Settings {
  readonly preset: Options['preset'];
  readonly scale: Options['scale'];
  readonly precision: Options['precision'];
  readonly seed: number;
  readonly classes: number;
  readonly imagesPerClass: number;
  /** Side of images and views in pixels. */
  readonly imageSize: number;
  readonly augmentation: {
    /** Fraction of the image area that a crop may have. */
    readonly cropScale: readonly [number, number];
    /** Probability of inverting the pixels at or above 128/255. */
    readonly solarizeProbability: number;
    /** Factor on ColorJitter's brightness, contrast, saturation (0.8) and hue (0.2). */
    readonly jitterStrength: number;
    /** Probability of the Gaussian blur. */
    readonly blurProbability: number;
  };
  readonly encoder: { readonly stem: 'imagenet' | 'small'; readonly width: number };
  readonly head: { readonly hidden: number; readonly output: number };
  readonly temperature: number;
  readonly optimizer: { readonly name: 'adam' | 'lars'; readonly weightDecay: number };
  readonly schedule: {
    readonly name: 'epoch-cosine' | 'warmup-cosine';
    readonly learningRate: number;
    /** Epochs and steps of the linear warm-up, added; it takes at most a fifth of the run. */
    readonly warmupEpochs: number;
    readonly warmupSteps: number;
  };
  readonly epochs: number;
  /** Images per step. */
  readonly batchSize: number;
  /** Neighbours of the kNN evaluation. */
  readonly neighbours: number;
}

/** The SimCLR paper's rule for LARS and small batches (appendix B.1). */
const larsRate = (batchSize: number): number => 0.075 * Math.sqrt(batchSize);

/** The recipes at full scale, see the table of the experiment in the README. */
const full: Record<Options['preset'], Omit<Settings, 'seed' | 'precision' | 'preset' | 'scale'>> = (() => {
  const paper = {
    classes: 200,
    imagesPerClass: 500,
    imageSize: 64,
    augmentation: { cropScale: [0.08, 1], solarizeProbability: 0.2, jitterStrength: 1, blurProbability: 1 },
    encoder: { stem: 'imagenet', width: 64 },
    head: { hidden: 256, output: 128 },
    temperature: 0.07,
    optimizer: { name: 'adam', weightDecay: 1e-4 },
    schedule: { name: 'epoch-cosine', learningRate: 3e-4, warmupEpochs: 0, warmupSteps: 0 },
    epochs: 50,
    batchSize: 256,
    neighbours: 200,
  } as const;
  const baseline = {
    ...paper,
    augmentation: { ...paper.augmentation, solarizeProbability: 0 },
    head: { hidden: 512, output: 128 },
  } as const;
  const simclr = {
    ...baseline,
    augmentation: { ...baseline.augmentation, blurProbability: 0.5 },
    temperature: 0.5,
    optimizer: { name: 'lars', weightDecay: 1e-6 },
    schedule: { name: 'warmup-cosine', learningRate: larsRate(256), warmupEpochs: 10, warmupSteps: 0 },
  } as const;
  return { paper, baseline, simclr };
})();

/** What the quick scale changes, whatever the preset, so that two processor cores learn something in minutes. */
function quicken(settings: Omit<Settings, 'seed' | 'precision' | 'preset' | 'scale'>): typeof settings {
  return {
    ...settings,
    classes: 10,
    augmentation: { ...settings.augmentation, cropScale: [0.2, 1], jitterStrength: 0.5, blurProbability: 0 },
    encoder: { ...settings.encoder, width: 16 },
    temperature: 0.1,
    optimizer: { name: 'adam', weightDecay: 1e-6 },
    schedule: { name: 'warmup-cosine', learningRate: 2e-3, warmupEpochs: 0, warmupSteps: 20 },
    epochs: 16,
    batchSize: 32,
    neighbours: 20,
  };
}

/** The options that decide settings; what is left out is the preset's at its scale. */
type Decisive = Pick<Options, 'preset' | 'scale' | 'precision' | 'seed'> &
  Partial<Pick<Options, 'classes' | 'imagesPerClass' | 'epochs' | 'batchSize'>>;

/** The settings of a call: the preset at its scale, with the sizes that the options name. */
export function resolveSettings(options: Decisive): Settings {
  const recipe = full[options.preset];
  const base = options.scale === 'quick' ? quicken(recipe) : recipe;
  const batchSize = options.batchSize ?? base.batchSize;
  const schedule =
    base.optimizer.name === 'lars' ? { ...base.schedule, learningRate: larsRate(batchSize) } : base.schedule;
  return {
    preset: options.preset,
    scale: options.scale,
    precision: options.precision,
    seed: options.seed,
    ...base,
    classes: options.classes ?? base.classes,
    imagesPerClass: options.imagesPerClass ?? base.imagesPerClass,
    epochs: options.epochs ?? base.epochs,
    batchSize,
    schedule,
  };
}
