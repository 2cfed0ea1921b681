import * as tf from '@tensorflow/tfjs-core';
import type { Chain } from '@tfjs-ssl/augmentations';
import { type Batch, batches, stepsPerEpoch } from '@tfjs-ssl/datasets';
import type { ImageSource, UploadImagesOptions } from '@tfjs-ssl/ops';
import { batchTransfer, type ImageTransfer, residentTransfer } from './image-transfer.ts';

/** Images to train on: a data set of `@tfjs-ssl/datasets`, or your own object with these fields. */
export interface FeedImages extends ImageSource {
  /** Class of each image, shape [length]. Required if the feed gives labels. */
  readonly labels?: Int32Array;
}

/** Options of {@link imageFeed}. */
export interface ImageFeedOptions {
  /** The random transforms that make a view. */
  readonly chain: Chain;
  /** Images of a step. The last batch of an epoch is left out if it is not full. */
  readonly batchSize: number;
  /** Seed of the order and of the views. Default: 0. */
  readonly seed?: number | string;
  /** Views of each image. Default: 2. */
  readonly views?: number;
  /** Whether a step has an input `labels` with the classes of its images, for a supervised loss. Default: false. */
  readonly labels?: boolean;
  /** Whether the engine may keep the images in its memory, if it can. Default: true. */
  readonly keep?: boolean;
  /** Called during the upload of the images to an engine that keeps them. */
  readonly onProgress?: NonNullable<UploadImagesOptions['onProgress']>;
  /** Ends this upload: frees what was uploaded and throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/** What a step takes: `images`, in the form that is fastest on the engine, and `table`, the random numbers of their views. */
export type FeedInputs = {
  readonly images: { readonly shape: readonly number[]; readonly dtype: 'float32' | 'int32' };
  readonly table: { readonly shape: readonly [rows: number, columns: number]; readonly dtype: 'float32' };
};

/** {@link FeedInputs}, and the classes of the images. */
export type LabelledFeedInputs = FeedInputs & {
  readonly labels: { readonly shape: readonly [images: number]; readonly dtype: 'int32' };
};

/** The source of a training's images. It holds no state of a run: epoch and step decide which images come. */
export interface ImageFeed<Inputs extends FeedInputs = FeedInputs> {
  /** What the step takes: the `inputs` of a `Trainer`, or of `compile`. */
  readonly specs: Inputs;
  /** Steps of an epoch. */
  readonly stepsPerEpoch: number;
  /** Images of a step. */
  readonly imagesPerStep: number;
  /**
   * How the images reach the engine. `'resident'`: the engine keeps all of them as bytes, and a step uploads positions. `'packed'`: a step
   * uploads bytes. `'float'`: a step uploads float32.
   */
  readonly transfer: 'resident' | 'packed' | 'float';
  /** If an engine that can keep images has no memory for these, the reason; otherwise null. */
  readonly notKept: string | null;
  /** The batches of an epoch from a step on. Each epoch has its own order, and one batch is read ahead. */
  batches(cursor: { readonly epoch: number; readonly step: number }): AsyncGenerator<Batch, void, undefined>;
  /** The input tensors of a batch, which the caller disposes; a trainer's `fit` does. */
  inputs(batch: Batch): { readonly [Name in keyof Inputs]: tf.Tensor };
  /**
   * Makes the views, inside the step.
   *
   * @param inputs - the inputs of the step; inputs other than the feed's are ignored.
   * @returns shape [views * N, h, w, 3], first all of view 0, then all of view 1; the surrounding `tf.tidy` or step disposes it.
   */
  views(inputs: { readonly [Name in keyof FeedInputs]: tf.Tensor }): tf.Tensor4D;
  /** Frees the images that the engine keeps. */
  dispose(): void;
}

/**
 * Makes a training's image feed: batches in seeded order and random views of them, in the fastest way that the engine in use has.
 *
 * If the engine can, it keeps all images in its memory as bytes and makes the views there. Otherwise each step uploads its images, as bytes
 * if the engine can make views of bytes. The views are the same. The random numbers of view v of image i in epoch e depend only on
 * (seed, e, i, v).
 *
 * `new Trainer({ inputs: feed.specs, loss: (inputs) => lossOf(feed.views(inputs)), ... })` and `trainer.fit({ epochs, ...feed })` train on it.
 *
 * @param images - see {@link FeedImages}; the caller still owns it.
 * @param options - see {@link ImageFeedOptions}.
 * @returns the feed; dispose it when done.
 * @throws RangeError if the batch size does not fit the images or `views` is 0; TypeError if labels are requested but missing; the signal's reason.
 *
 * @example
 * ```ts
 * import { simclrChain } from '@tfjs-ssl/augmentations';
 * import { generatedImages } from '@tfjs-ssl/datasets';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { imageFeed } from '@tfjs-ssl/feed';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const images = generatedImages({ classes: 4, imagesPerClass: 8, size: 32 });
 * const feed = await imageFeed(images, { chain: simclrChain({ size: 32 }), batchSize: 8 });
 * for await (const batch of feed.batches({ epoch: 0, step: 0 })) {
 *   const inputs = feed.inputs(batch);
 *   const views = tf.tidy(() => feed.views(inputs));
 *   console.log(batch.step, views.shape); // [16, 32, 32, 3], rows i and i + 8 are a pair
 *   tf.dispose([inputs, views]);
 * }
 * feed.dispose();
 * ```
 */
export function imageFeed(
  images: FeedImages,
  options: ImageFeedOptions & { readonly labels: true },
): Promise<ImageFeed<LabelledFeedInputs>>;
export function imageFeed(images: FeedImages, options: ImageFeedOptions): Promise<ImageFeed>;
export async function imageFeed(
  images: FeedImages,
  options: ImageFeedOptions,
): Promise<ImageFeed<FeedInputs | LabelledFeedInputs>> {
  const { chain, batchSize, seed = 0, views = 2, keep = true, onProgress, signal } = options;
  check(images, options);
  const { length, imageShape, labels = new Int32Array(length) } = images;
  const resident = keep
    ? await residentTransfer(images, batchSize, { ...(onProgress && { onProgress }), ...(signal && { signal }) })
    : null;
  const kept = resident !== null && !(resident instanceof RangeError);
  const transfer: ImageTransfer = kept ? resident : batchTransfer(batchSize, imageShape);
  const source = { length, labels, read: (indices: ArrayLike<number>) => images.read(indices) };
  const imageSize = [imageShape[0], imageShape[1]] as const;
  const specs: FeedInputs = {
    images: transfer.input,
    table: { shape: [views * batchSize, chain.columns.length], dtype: 'float32' },
    ...(options.labels && { labels: { shape: [batchSize], dtype: 'int32' } }),
  };
  return {
    specs,
    stepsPerEpoch: stepsPerEpoch(length, batchSize),
    imagesPerStep: batchSize,
    transfer: transfer.kind,
    notKept: resident instanceof RangeError ? resident.message : null,
    batches: ({ epoch, step }) =>
      batches(source, { batchSize, seed, epoch, startStep: step, readImages: transfer.readsImages }),
    inputs(batch) {
      const { epoch, indices } = batch;
      return {
        images: transfer.tensorOf(batch),
        table: chain.sampleTable({ seed, epoch, indices, imageSize, views }),
        ...(options.labels && { labels: tf.tensor1d(batch.labels, 'int32') }),
      };
    },
    views: (inputs) => transfer.views(chain, inputs.images, inputs.table as tf.Tensor2D),
    dispose: () => transfer.dispose(),
  };
}

function check({ length, labels }: FeedImages, { batchSize, views = 2, labels: wanted }: ImageFeedOptions): void {
  if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > length) {
    throw new RangeError(
      `imageFeed: batchSize must be an integer from 1 to the ${length} images there are, got ${batchSize}. Use a smaller batch, or more images.`,
    );
  }
  if (!Number.isInteger(views) || views < 1) {
    throw new RangeError(
      `imageFeed: views must be an integer from 1, got ${views}. A contrastive loss needs 2; leave it out.`,
    );
  }
  if (wanted && !labels) {
    throw new TypeError(
      'imageFeed: images must have labels where `labels` is true, got none. Give them, or leave `labels` out.',
    );
  }
  if (labels && labels.length !== length) {
    throw new RangeError(
      `imageFeed: images.labels must have ${length} labels, one for each image, got ${labels.length}. Give all, or none.`,
    );
  }
}
