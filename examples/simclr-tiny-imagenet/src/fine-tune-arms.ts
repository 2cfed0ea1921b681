import { balancedSample, stepsPerEpoch } from '@tfjs-ssl/datasets';
import type { TypedModel } from '@tfjs-ssl/resnet';
import type { Data } from './data.ts';
import type { Accuracies } from './evaluate.ts';
import { fineTune } from './fine-tune.ts';
import { type Output, ProgressBar, toValues } from './progress.ts';
import type { Settings } from './settings/table.ts';
import { type Estimate, estimate } from './study/statistics.ts';
import { encoderOfFile, encoders, settingsOfEncoder } from './tables/encoders.ts';
import { UsageError } from './usage-error.ts';

/** Epochs of a fine-tuning, as in the SimCLR paper for a tenth of the labels (appendix B.5). */
const usualEpochs = 30;

/** Steps that a fine-tuning has at least: with few labels an epoch has hardly any. */
const leastSteps = 400;

/** Learning rate for each image of a batch: four times that of the SimCLR paper, with whose own both encoders learn less in these few steps. */
const ratePerImage = 0.2 / 256;

/** What fine-tuning with a fraction of the labels has given; each estimate is over the seeds. */
export interface FineTuned {
  /** Share of the labels of each class. */
  readonly fraction: number;
  /** Number of labelled images. */
  readonly images: number;
  readonly epochs: number;
  readonly learningRate: number;
  /** Top-1 and top-5 accuracy on the validation images, starting from the encoder. */
  readonly pretrained: Estimates;
  /** The same, starting from random weights. */
  readonly scratch: Estimates;
  /** Top-1 accuracy that the encoder gains, in pairs of one seed. */
  readonly gain: Estimate;
}

interface Estimates {
  readonly top1: Estimate;
  readonly top5: Estimate;
}

/** What is fine-tuned, and how often. */
export interface FineTuneCall {
  /** The safetensors file of the encoder. */
  readonly file: string;
  readonly data: Data;
  readonly settings: Pick<Settings, 'batchSize' | 'normalization'>;
  /** Default: {@link usualEpochs}, or more until there are {@link leastSteps}. */
  readonly epochs: number | undefined;
  /** Each decides labels, first weights, order and views of both fine-tunings. */
  readonly seeds: readonly number[];
  readonly signal: AbortSignal;
}

/**
 * Fine-tunes an encoder, and beside it one of the same architecture from random weights, with a fraction of the labels.
 *
 * Both see the same images in the same order and the same views, and have the same schedule.
 *
 * @param output - where progress and a line for each pair go.
 * @throws the signal's reason.
 */
export async function fineTuneBoth(call: FineTuneCall, fraction: number, output: Output): Promise<FineTuned> {
  const { file, data, settings, seeds, signal } = call;
  const [height, width] = data.train.imageShape;
  const pairs: Array<{ readonly pretrained: Accuracies; readonly scratch: Accuracies }> = [];
  const sample = (seed: number) => balancedSample(data.train.labels, { fraction, seed });
  const images = sample(0).length;
  const batchSize = Math.min(settings.batchSize, images);
  const learningRate = ratePerImage * batchSize;
  const perEpoch = stepsPerEpoch(images, batchSize);
  const epochs = call.epochs ?? Math.max(usualEpochs, Math.ceil(leastSteps / perEpoch));
  for (const seed of seeds) {
    const bar = new ProgressBar(output, epochs * perEpoch, batchSize);
    const train = async (encoder: TypedModel) => {
      try {
        return await fineTune(encoder, {
          ...{ data, labelled: sample(seed), batchSize, epochs, learningRate, seed, signal },
          normalization: settings.normalization,
          onStep: (step) => bar.update(toValues(step)),
        });
      } finally {
        bar.clear();
        encoder.dispose();
      }
    };
    const encoder = await encoderOfFile(file, { inputShape: [height, width, 3] });
    const random = untrained(encoder, seed);
    const pair = { pretrained: await train(encoder), scratch: await train(random) };
    pairs.push(pair);
    bar.print(lineOf(fraction, images, seed, pair));
  }
  const over = (arm: 'pretrained' | 'scratch'): Estimates => ({
    top1: estimate(pairs.map((pair) => pair[arm].top1)),
    top5: estimate(pairs.map((pair) => pair[arm].top5)),
  });
  const gain = estimate(pairs.map(({ pretrained, scratch }) => pretrained.top1 - scratch.top1));
  return { fraction, images, epochs, learningRate, pretrained: over('pretrained'), scratch: over('scratch'), gain };
}

/**
 * An encoder of the same architecture with random weights, which the seed decides.
 *
 * @throws UsageError if the program has no such encoder.
 */
function untrained(encoder: TypedModel, seed: number): TypedModel {
  const { name, ...options } = settingsOfEncoder(encoder) as Settings['encoder'];
  if (!Object.hasOwn(encoders, name)) {
    throw new UsageError(
      `--fine-tune: the encoder must be ${Object.keys(encoders).join(', ')}, got ${name}. Evaluate it alone.`,
    );
  }
  const inputShape = encoder.inputs[0]?.shape.slice(1) as [number, number, number];
  return encoders[name]({ inputShape, ...options, seed });
}

const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)}%`;

/** A share of labels for people: `1%`, `12.5%`. */
export const shareText = (fraction: number): string => `${Number((100 * fraction).toPrecision(3))}%`;

/** What the encoder gains, in points, with half of the 95 % interval. */
export function gainText({ mean, high }: Estimate): string {
  const points = (value: number) => (100 * value).toFixed(1);
  return `${mean < 0 ? '' : '+'}${points(mean)}${high === null ? '' : ` ± ${points(high - mean)}`} points`;
}

function lineOf(
  fraction: number,
  images: number,
  seed: number,
  { pretrained, scratch }: { readonly pretrained: Accuracies; readonly scratch: Accuracies },
): string {
  return `Fine-tuned with ${shareText(fraction)} of the labels (${images.toLocaleString('en')} images), seed ${seed}: top-1 ${percent(pretrained.top1)}, from scratch ${percent(scratch.top1)}`;
}

/** The means over the seeds, in a line. */
export function fineTunedLine({ fraction, pretrained, scratch, gain }: FineTuned): string {
  return `Fine-tuned with ${shareText(fraction)} of the labels, mean of ${gain.values.length}: top-1 ${percent(pretrained.top1.mean)}, top-5 ${percent(pretrained.top5.mean)}; from scratch ${percent(scratch.top1.mean)} and ${percent(scratch.top5.mean)}; gain ${gainText(gain)}`;
}

/** The values by their names in TensorBoard. */
export function fineTunedScalars({ fraction, pretrained, scratch }: FineTuned): Record<string, number> {
  return {
    [`fine-tuning/${fraction}/pretrained`]: pretrained.top1.mean,
    [`fine-tuning/${fraction}/scratch`]: scratch.top1.mean,
  };
}
