import * as tf from '@tensorflow/tfjs-core';
import { type Chain, type PerGroup, type ViewChains, viewPlan } from '@tfjs-ssl/augmentations';
import { type Batch, batches, stepsPerEpoch } from '@tfjs-ssl/datasets';
import type { ImageSource, PackedImages, UploadImagesOptions, World } from '@tfjs-ssl/ops';
import { checkOptions } from './check-options.ts';
import { chunksOf } from './chunks-of.ts';
import { batchTransfer, type ImageTransfer, residentTransfer } from './image-transfer.ts';
import { isChain } from './is-chain.ts';
import { partOfBatch } from './part-of-batch.ts';

/** Images to train on: a data set of `@tfjs-ssl/datasets`, or your own object with these fields. */
export interface FeedImages extends ImageSource {
  /** Class of each image, shape [length]. Required if the feed gives labels. */
  readonly labels?: Int32Array;
}

/** One chain for all views, or a chain for each: see `viewPlan` of `@tfjs-ssl/augmentations`. */
export type FeedChain = Chain | ViewChains;

/** What the views of a feed are: one tensor, or one by the name of each group of chains. */
export type FeedViews<Chains extends FeedChain> = Chains extends Chain ? tf.Tensor4D : PerGroup<Chains, tf.Tensor4D>;

/** Options of {@link imageFeed}. */
export interface ImageFeedOptions<Chains extends FeedChain = FeedChain> {
  /**
   * The random transforms that make a view. A list has one chain for each view (`byolChains()`). An object has such lists by name, for views of several
   * sizes (`swavChains()`): its views are one tensor for each name.
   */
  readonly chain: Chains;
  /** Images of a step, those of all ranks together. The last batch of an epoch is left out if it is not full. */
  readonly batchSize: number;
  /**
   * Processes that share every batch, as the trainer's `world`: each takes an equal part, in the order of the ranks. Order and views are those
   * of one process. Default: this process takes the complete batch.
   */
  readonly world?: World;
  /** Seed of the order and of the views. Default: 0. */
  readonly seed?: number | string;
  /** Views of each image, where all have one chain. Default: 2. */
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
export interface ImageFeed<Inputs extends FeedInputs = FeedInputs, Views = tf.Tensor4D> {
  /** What the step takes: the `inputs` of a `Trainer`, or of `compile`. */
  readonly specs: Inputs;
  /** Steps of an epoch. */
  readonly stepsPerEpoch: number;
  /** Images of a step, those of all ranks together. */
  readonly imagesPerStep: number;
  /**
   * How the images reach the engine. `'resident'`: the engine keeps all of them as bytes, and a step uploads positions. `'packed'`: a step
   * uploads bytes. `'float'`: a step uploads float32.
   */
  readonly transfer: 'resident' | 'packed' | 'float';
  /** If an engine that can keep images has no memory for these, the reason; otherwise null. */
  readonly notKept: string | null;
  /** The images that the engine keeps, in the order of the data set, until {@link ImageFeed.dispose}; `extractFeatures` takes them. Otherwise null. */
  readonly kept: PackedImages | null;
  /** The batches of an epoch from a step on. Each epoch has its own order, and one batch is read ahead. */
  batches(cursor: { readonly epoch: number; readonly step: number }): AsyncGenerator<Batch, void, undefined>;
  /** The input tensors of a batch, which the caller disposes; a trainer's `fit` does. */
  inputs(batch: Batch): { readonly [Name in keyof Inputs]: tf.Tensor };
  /**
   * Makes the views, inside the step.
   *
   * @param inputs - the inputs of the step, or one of their {@link ImageFeed.chunks}; inputs other than the feed's are ignored.
   * @returns shape [views * N, h, w, 3], first all of view 0, then all of view 1; of groups of chains, one such tensor by the name of each. The
   * surrounding `tf.tidy` or step disposes it.
   */
  views(inputs: { readonly [Name in keyof FeedInputs]: tf.Tensor }): Views;
  /**
   * Divides a batch into smaller ones, inside the step: for the `chunks` of a `Trainer`, or for `gradCache`.
   *
   * @param inputs - the inputs of the step. Inputs other than the feed's are the same in every chunk.
   * @param count - number of chunks; it divides the images of this process.
   * @returns the inputs of each chunk: its images with all their views. The surrounding `tf.tidy` or step disposes them.
   * @throws RangeError if the count does not divide the batch size.
   */
  chunks<Given extends { readonly [Name in keyof FeedInputs]: tf.Tensor }>(inputs: Given, count: number): Given[];
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
export function imageFeed<const Chains extends FeedChain>(
  images: FeedImages,
  options: ImageFeedOptions<Chains> & { readonly labels: true },
): Promise<ImageFeed<LabelledFeedInputs, FeedViews<Chains>>>;
export function imageFeed<const Chains extends FeedChain>(
  images: FeedImages,
  options: ImageFeedOptions<Chains>,
): Promise<ImageFeed<FeedInputs, FeedViews<Chains>>>;
export async function imageFeed(
  images: FeedImages,
  options: ImageFeedOptions,
): Promise<ImageFeed<FeedInputs | LabelledFeedInputs, tf.Tensor4D | Readonly<Record<string, tf.Tensor4D>>>> {
  const { batchSize, seed = 0, keep = true, world, onProgress, signal } = options;
  checkOptions(images, options);
  const { length, imageShape, labels = new Int32Array(length) } = images;
  const plan = viewPlan(perView(options));
  const imageSize = [imageShape[0], imageShape[1]] as const;
  plan.outputSize(imageSize);
  const settings = { seed, views: plan.views, columns: plan.tableColumns };
  const part = await partOfBatch(world, { images, batchSize, settings });
  const own = batchSize / part.count;
  const resident = keep
    ? await residentTransfer(images, own, { ...(onProgress && { onProgress }), ...(signal && { signal }) })
    : null;
  const transfer: ImageTransfer =
    resident === null || resident instanceof Error ? batchTransfer(own, imageShape) : resident;
  const source = { length, labels, read: (indices: ArrayLike<number>) => images.read(indices) };
  const specs: FeedInputs = {
    images: transfer.input,
    table: { shape: [plan.views * own, plan.tableColumns], dtype: 'float32' },
    ...(options.labels && { labels: { shape: [own], dtype: 'int32' } }),
  };
  return {
    specs,
    stepsPerEpoch: stepsPerEpoch(length, batchSize),
    imagesPerStep: batchSize,
    transfer: transfer.kind,
    notKept: resident instanceof Error ? resident.message : null,
    kept: transfer.kept,
    batches: ({ epoch, step }) =>
      batches(source, { batchSize, part, seed, epoch, startStep: step, readImages: transfer.readsImages }),
    inputs(batch) {
      const { epoch, indices } = batch;
      return {
        images: transfer.tensorOf(batch),
        table: plan.sampleTable({ seed, epoch, indices, imageSize }),
        ...(options.labels && { labels: tf.tensor1d(batch.labels, 'int32') }),
      };
    },
    views: (inputs) => transfer.views(plan, inputs, inputs.table as tf.Tensor2D),
    chunks: (inputs, count) =>
      chunksOf(inputs, count, { batchSize: own, views: plan.views, labelled: options.labels === true, transfer }),
    dispose: () => transfer.dispose(),
  };
}

const perView = ({ chain, views = 2 }: ImageFeedOptions): ViewChains =>
  isChain(chain) ? new Array<Chain>(views).fill(chain) : chain;
