import { checkImagesPerClass, checkSplit } from './dataset-options.ts';
import { type DecodingOptions, openDecodedDataset } from './decoded-dataset.ts';
import type { ImageDataset } from './image-dataset.ts';
import { openTree } from './image-tree.ts';
import { listTinyImagenet } from './tiny-imagenet-listing.ts';

/** Options of `tinyImagenet`. */
export interface TinyImagenetOptions extends DecodingOptions {
  /** The official `tiny-imagenet-200.zip`, read in place, or the unpacked folder. */
  readonly path: string;
  /** `train`: 500 images a class; `val`: 50 a class. Default `train`. */
  readonly split?: 'train' | 'val';
  /** Number of classes: every (200 / classes)-th of the sorted class names; default all. */
  readonly classes?: number;
  /** Number of images of each class, the first ones by the number in the file name; default all. */
  readonly imagesPerClass?: number;
}

/**
 * Opens Tiny ImageNet: 200 classes of 64x64 images, 100,000 to train and 10,000 to validate.
 *
 * Classes are in sorted order, as torchvision's ImageFolder has them; images lie class by class. Decoded pixels equal
 * Pillow's. They are cached on disk, checked at every opening, and decoded again if the source, the decoder or the cache file
 * has changed. Up to 256 MiB (21,845 images) are held in memory; the rest is read from the cache file.
 *
 * @returns the data set; close it when done.
 * @throws Error that names the file and what to do for a zip that is none, is cut short or damaged, another layout, a
 * missing class or `val_annotations.txt`, an image that cannot be decoded, a cache folder that cannot be written.
 * @throws RangeError for `classes` or `imagesPerClass` that the archive does not have.
 * @example
 * ```ts
 * import { batches, tinyImagenet } from '@tfjs-ssl/datasets';
 *
 * const dataset = await tinyImagenet({ path: 'data/tiny-imagenet-200.zip', split: 'train', classes: 10 });
 * for await (const { images, labels } of batches(dataset, { batchSize: 256, seed: 1, epoch: 0 })) {
 *   console.log(images.length, labels[0]);
 * }
 * await dataset.close();
 * ```
 */
export async function tinyImagenet(options: TinyImagenetOptions): Promise<ImageDataset> {
  const { path, split = 'train', classes, imagesPerClass, ...decoding } = options;
  checkSplit('tinyImagenet', split);
  checkImagesPerClass('tinyImagenet', imagesPerClass);
  const tree = await openTree(path, 'tinyImagenet');
  const listing = listTinyImagenet(tree, split, { classes, imagesPerClass });
  return openDecodedDataset({
    ...decoding,
    caller: 'tinyImagenet',
    name: 'tiny-imagenet',
    split,
    tree,
    listing,
    fit: { mode: 'exact', size: 64 },
  });
}
