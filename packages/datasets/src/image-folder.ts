import { checkSize } from './decode-images.ts';
import { type DecodingOptions, openDecodedDataset } from './decoded-dataset.ts';
import type { ImageDataset } from './image-dataset.ts';
import { type ImageTree, openTree } from './image-tree.ts';
import { checkSplit } from './tiny-imagenet.ts';
import { append, byNumber, checkImagesPerClass, type ImageListing, selectClasses } from './tiny-imagenet-layout.ts';

/** Options of `imageFolder`. */
export interface ImageFolderOptions extends DecodingOptions {
  /** Folder (or zip) with a folder per class, each with .jpg, .jpeg or .png files. */
  readonly path: string;
  /** Side of the square that each image is made to fit, pixels. */
  readonly size: number;
  /**
   * `crop` (default): the shorter side becomes `size`, the middle is cut out (torchvision's Resize and CenterCrop).
   * `stretch`: both sides become `size`.
   */
  readonly resize?: 'crop' | 'stretch';
  /** Which part, `train` (default) or `val`; see `holdOut`. */
  readonly split?: 'train' | 'val';
  /**
   * Fraction of each class, 0 to below 1, that split `val` has and `train` has not: evenly spread over the sorted files.
   * Default 0: all images belong to the split that is asked for.
   */
  readonly holdOut?: number;
  /** Number of classes, evenly spread over the sorted names; default all. */
  readonly classes?: number;
  /** At most so many images of each class; default all. */
  readonly imagesPerClass?: number;
}

/**
 * Opens a folder of images of any size: `path/<class>/<image>`.
 *
 * Images are resized with Pillow's bilinear filter, antialiased when it shrinks, to the same bytes. Classes are in sorted
 * order, images within a class by the last number in their name. Caching, memory and faults are as in `tinyImagenet`.
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
  const { path, size, resize = 'crop', split = 'train', holdOut = 0, classes, imagesPerClass, ...decoding } = options;
  checkSplit('imageFolder', split);
  checkSize('imageFolder', size);
  checkImagesPerClass('imageFolder', imagesPerClass);
  if (resize !== 'crop' && resize !== 'stretch') {
    throw new RangeError(`imageFolder: resize must be 'crop' or 'stretch', got '${resize}'.`);
  }
  if (!(holdOut >= 0 && holdOut < 1)) {
    throw new RangeError(`imageFolder: holdOut must be a fraction from 0 to below 1, got ${holdOut}.`);
  }
  const tree = await openTree(path, 'imageFolder');
  const listing = listFolder(tree, { split, holdOut, classes, imagesPerClass });
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

interface FolderSelection {
  readonly split: 'train' | 'val';
  readonly holdOut: number;
  readonly classes: number | undefined;
  readonly imagesPerClass: number | undefined;
}

function listFolder(tree: ImageTree, selection: FolderSelection): ImageListing {
  const byClass = new Map<string, string[]>();
  for (const name of tree.names) {
    const className = /^([^/.][^/]*)\/[^/.][^/]*\.(jpe?g|png)$/i.exec(name)?.[1];
    if (className !== undefined) append(byClass, className, name);
  }
  if (byClass.size === 0) {
    throw new Error(
      `imageFolder: ${tree.path} must hold a folder per class with .jpg, .jpeg or .png files; it has none. Check the path.`,
    );
  }
  const classNames = selectClasses('imageFolder', [...byClass.keys()].sort(), selection.classes);
  const { split, holdOut, imagesPerClass } = selection;
  const isHeldOut = (i: number) => Math.floor((i + 1) * holdOut) > Math.floor(i * holdOut);
  const files: string[] = [];
  const labels: number[] = [];
  for (const [label, className] of classNames.entries()) {
    const own = byNumber(byClass.get(className) as string[]);
    const wanted = holdOut === 0 ? own : own.filter((_, i) => isHeldOut(i) === (split === 'val'));
    for (const file of wanted.slice(0, imagesPerClass)) {
      files.push(file);
      labels.push(label);
    }
  }
  if (files.length === 0) {
    throw new Error(`imageFolder: holdOut ${holdOut} leaves no images for split '${split}' in ${tree.path}. Raise it.`);
  }
  return { classNames, files, labels: Int32Array.from(labels) };
}
