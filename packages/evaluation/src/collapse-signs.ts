import type * as tf from '@tensorflow/tfjs-core';
import { checkNumber } from '@tfjs-ssl/checks';
import { effectiveRank } from './effective-rank.ts';
import { type Encoder, type ExtractFeaturesOptions, extractFeatures, type ImageSource } from './extract-features.ts';
import { featureDeviation } from './feature-deviation.ts';

/** Options of {@link collapseSigns}. */
export interface CollapseSignsOptions extends ExtractFeaturesOptions {
  /** Images to look at, an integer >= 2; they are spread evenly over the data set. Default: 512, or all if there are fewer. */
  readonly sample?: number;
}

/** What {@link collapseSigns} finds. */
export interface CollapseSigns {
  /** Mean standard deviation of the normalised features per dimension; see {@link featureDeviation}. */
  readonly deviation: number;
  /** Dimensions that the features make use of, from 1 to `dimensions`; see {@link effectiveRank}. */
  readonly effectiveRank: number;
  /** Dimensions that there are. */
  readonly dimensions: number;
}

/**
 * Looks at features for signs of collapse, for any method and while it trains: the spread of normalised features and their effective rank.
 *
 * A deviation far below 1 / sqrt(dimensions), or a rank that falls from epoch to epoch towards 1, says that the encoder gives up what it
 * could tell apart. Compare with the values before training. It needs no labels.
 *
 * Call it between steps, for example after each epoch: it costs one pass of the sample through the encoder and, for the rank, a second at
 * most for 512 features.
 *
 * @param encoder - as in {@link extractFeatures}: a model in evaluation mode, or a function.
 * @param images - the data set.
 * @param options - size of the sample; batch size, transform and progress.
 * @returns plain numbers.
 * @throws RangeError if `sample` is not an integer >= 2, or what {@link extractFeatures} throws.
 * @example
 * ```ts
 * import { collapseSigns } from '@tfjs-ssl/evaluation';
 * import { generatedImages } from '@tfjs-ssl/datasets';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { resnet18 } from '@tfjs-ssl/resnet';
 *
 * await startEngine('auto');
 * const images = generatedImages({ classes: 4, imagesPerClass: 8, size: 32 });
 * const encoder = resnet18({ inputShape: [32, 32, 3], width: 8 });
 * // in a training: for await (const event of trainer.fit(...)) if (event.type === 'epoch') ...
 * const { deviation, effectiveRank, dimensions } = await collapseSigns(encoder, images, { sample: 32 });
 * console.log(deviation, effectiveRank, dimensions);
 * ```
 * @see Chen and He 2021, "Exploring Simple Siamese Representation Learning", figure 2; Garrido et al. 2023, "RankMe".
 */
export async function collapseSigns(
  encoder: Encoder,
  images: ImageSource,
  options: CollapseSignsOptions = {},
): Promise<CollapseSigns> {
  const { sample = Math.max(2, Math.min(512, images.length)), ...rest } = options;
  const rule = { min: 2, max: images.length, integer: true };
  checkNumber('collapseSigns', 'sample', sample, rule, 'It is a number of images of the data set.');
  const features = await extractFeatures(encoder, spread(images, sample), rest);
  let deviation: tf.Scalar | undefined;
  try {
    deviation = featureDeviation(features);
    return {
      deviation: (await deviation.data<'float32'>())[0] as number,
      effectiveRank: await effectiveRank(features),
      dimensions: features.shape[1],
    };
  } finally {
    features.dispose();
    deviation?.dispose();
  }
}

/** Some images of a data set, evenly spread. */
function spread(images: ImageSource, count: number): ImageSource {
  return {
    length: count,
    imageShape: images.imageShape,
    read: (indices) => images.read(Int32Array.from(indices, (index) => Math.floor((index * images.length) / count))),
  };
}
