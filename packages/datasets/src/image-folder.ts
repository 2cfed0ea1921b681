import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { checkImagesPerClass, checkResize, checkSize, checkSplit } from './dataset-options.ts';
import { checkOnCorrupt, type DecodingOptions, openDecodedDataset } from './decoded-dataset.ts';
import { listFolder } from './folder-listing.ts';
import type { ImageDataset } from './image-dataset.ts';
import { openTree } from './image-tree.ts';

/** Options of `imageFolder`. */
export interface ImageFolderOptions extends DecodingOptions {
  /**
   * Folder (or zip) with a folder per class. Each class has .jpg, .jpeg or .png files, also in folders below it. If everything lies in one
   * folder that holds only folders, those are the classes.
   */
  readonly path: string;
  /** Side of the square that each image is fitted to, pixels. */
  readonly size: number;
  /**
   * `crop` (default): the shorter side becomes `size`, the middle is cut out (torchvision's Resize and CenterCrop).
   * `stretch`: both sides become `size`.
   */
  readonly resize?: 'crop' | 'stretch';
  /** Which part, `train` (default) or `val`; see `holdOut`. */
  readonly split?: 'train' | 'val';
  /**
   * Fraction of each class, 0 to below 1, that belongs to split `val` and not to `train`. The images are evenly spread over the sorted files,
   * with at least one from every class of two or more. Default 0: all images belong to the requested split.
   */
  readonly holdOut?: number;
  /**
   * The classes in the order of their labels. Pass `classNames` of the training images, so that the labels of two folders agree even if one
   * lacks a class. Default: the folders in sorted order; each must hold images.
   */
  readonly classNames?: readonly string[];
  /** Number of classes, evenly spread over the sorted names; default all. */
  readonly classes?: number;
  /** Largest number of images of each class; default all. */
  readonly imagesPerClass?: number;
}

/**
 * Opens a folder of images of any size: `path/<class>/<image>`.
 *
 * Images are resized with Pillow's bilinear filter, antialiased when it shrinks, to the same bytes. Classes are in sorted
 * order, images within a class by the last number in their name. Caching, memory and errors are as in `tinyImagenet`.
 * Other files among the images are listed in `skipped`. Images in other formats are an error, or are listed there
 * with `onCorrupt: 'skip'`. Links are followed, and each folder counts once.
 *
 * @returns the data set; close it when done.
 * @throws Error that names the file or folder and what to do.
 * @example
 * ```ts
 * import { imageFolder } from '@tfjs-ssl/datasets';
 *
 * const dataset = await imageFolder({ path: 'data/flowers', size: 64, split: 'train', holdOut: 0.1 });
 * console.log(dataset.classNames, dataset.length);
 * await dataset.close();
 * ```
 */
export async function imageFolder(options: ImageFolderOptions): Promise<ImageDataset> {
  const { path, size, resize = 'crop', split = 'train', holdOut = 0, classNames, ...others } = options;
  const { classes, imagesPerClass, ...decoding } = others;
  const { onCorrupt = 'error' } = options;
  checkSplit('imageFolder', split);
  checkSize('imageFolder', size);
  checkResize('imageFolder', resize);
  checkImagesPerClass('imageFolder', imagesPerClass);
  checkOnCorrupt('imageFolder', onCorrupt);
  checkNumber('imageFolder', 'holdOut', holdOut, { min: 0, below: 1 }, 'It is a share of each class: 0.1 for a tenth.');
  if (classNames !== undefined && classes !== undefined) {
    throw argumentError({
      fn: 'imageFolder',
      argument: 'classes',
      required: 'be left out if classNames is given',
      got: classes,
      advice: 'Leave one of the two out.',
    });
  }
  const tree = await openTree(path, 'imageFolder');
  const listing = listFolder(tree, { split, holdOut, classNames, classes, imagesPerClass, onCorrupt });
  return openDecodedDataset({
    ...decoding,
    caller: 'imageFolder',
    name: 'folder',
    split,
    tree,
    listing,
    fit: { mode: resize, size },
  });
}
