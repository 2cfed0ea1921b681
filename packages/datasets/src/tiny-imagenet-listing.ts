import { argumentError } from '@tfjs-ssl/checks';
import type { SkippedImage } from './image-dataset.ts';
import { append, byNumber, type ImageListing, selectClasses, some } from './image-listing.ts';
import type { ImageTree } from './image-tree.ts';

/** Which part of a data set is taken. */
export interface Selection {
  readonly classes?: number | undefined;
  readonly imagesPerClass?: number | undefined;
}

/** Where the list of classes may lie, by which Tiny ImageNet is known. */
export const listOfClasses: RegExp = /^([^/]+\/)?wnids\.txt$/;

const expectedLayout =
  'wnids.txt, train/<class>/images/*.JPEG, val/val_annotations.txt and val/images/*.JPEG, as in the official archive';

const noJpeg = 'is no .JPEG file by its name';

/**
 * Lists a split of Tiny ImageNet: classes in sorted order, within a class by the number in the file's name.
 *
 * @throws Error that names what is missing.
 */
export function listTinyImagenet(tree: ImageTree, split: 'train' | 'val', selection: Selection): ImageListing {
  const prefix = findRoot(tree);
  const all = tree.readText(`${prefix}wnids.txt`).split(/\s+/).filter(Boolean).sort();
  const classNames = selectClasses('tinyImagenet', all, selection.classes);
  const leftOut: SkippedImage[] = [];
  const byClass = split === 'train' ? trainFiles(tree, prefix, leftOut) : valFiles(tree, prefix, all, leftOut);
  const missing = all.filter((name) => !byClass.has(name));
  if (missing.length > 0) {
    throw new Error(
      `tinyImagenet: ${tree.path} must hold ${split} images of the ${all.length} classes in wnids.txt, ` +
        `got images of ${all.length - missing.length}; the first class without images is ${missing[0]}. Fetch the official archive again.`,
    );
  }
  const { imagesPerClass } = selection;
  const files: string[] = [];
  const labels: number[] = [];
  for (const [label, name] of classNames.entries()) {
    const names = byNumber(byClass.get(name) as string[]);
    if (imagesPerClass !== undefined && imagesPerClass > names.length) {
      throw argumentError({
        fn: 'tinyImagenet',
        argument: 'imagesPerClass',
        required: `be at most ${names.length}, the ${split} images of class ${name}`,
        got: imagesPerClass,
        advice: 'Leave it out for all there are.',
      });
    }
    for (const file of names.slice(0, imagesPerClass)) {
      files.push(file);
      labels.push(label);
    }
  }
  return { classNames, files, labels: Int32Array.from(labels), leftOut };
}

function findRoot(tree: ImageTree): string {
  const marker = tree.names.filter((name) => listOfClasses.test(name)).sort((a, b) => a.length - b.length)[0];
  if (marker !== undefined) return marker.slice(0, -'wnids.txt'.length);
  const top = [...new Set(tree.names.map((name) => name.split('/', 1)[0] as string))].sort();
  throw argumentError({
    fn: 'tinyImagenet',
    argument: 'path',
    required: `hold ${expectedLayout}`,
    got: tree.path,
    shown: `${tree.path}, which holds ${some(top)}`,
    advice: 'Check the path.',
  });
}

function trainFiles(tree: ImageTree, prefix: string, leftOut: SkippedImage[]): Map<string, string[]> {
  const byClass = new Map<string, string[]>();
  const pattern = /^([^/]+)\/images\/[^/.][^/]*?(\.jpe?g)?$/i;
  const start = `${prefix}train/`;
  for (const name of tree.names) {
    const found = name.startsWith(start) ? pattern.exec(name.slice(start.length)) : null;
    if (found?.[2]) append(byClass, found[1] as string, name);
    else if (found) leftOut.push({ file: name, reason: noJpeg });
  }
  return byClass;
}

function valFiles(
  tree: ImageTree,
  prefix: string,
  classes: readonly string[],
  leftOut: SkippedImage[],
): Map<string, string[]> {
  const annotations = `${prefix}val/val_annotations.txt`;
  if (!tree.has(annotations)) {
    throw new Error(
      `tinyImagenet: ${tree.path} must hold ${annotations}, the labels of the validation images, got none. ` +
        `Fetch the official archive again, or use only split 'train'.`,
    );
  }
  const known = new Set(classes);
  const byClass = new Map<string, string[]>();
  const listed = new Set<string>();
  const where = (line: number) => `tinyImagenet: line ${line + 1} of ${annotations} in ${tree.path}`;
  for (const [i, line] of tree.readText(annotations).split(/\r?\n/).entries()) {
    if (line === '') continue;
    const [file, className] = line.split('\t');
    if (!file || !className || !known.has(className)) {
      throw new Error(
        `${where(i)} must be a file, a tab and a class of wnids.txt, got '${line}'. Fetch the official archive again.`,
      );
    }
    const name = `${prefix}val/images/${file}`;
    if (!tree.has(name))
      throw new Error(`${where(i)} must name a file that exists, got ${file}. Fetch the official archive again.`);
    listed.add(name);
    append(byClass, className, name);
  }
  const others = tree.names.filter(
    (name) => name.startsWith(`${prefix}val/images/`) && /\/[^/.][^/]*$/.test(name) && !listed.has(name),
  );
  const unlisted = others.find((name) => /\.jpe?g$/i.test(name));
  for (const file of others) leftOut.push({ file, reason: noJpeg });
  if (unlisted) {
    throw new Error(
      `tinyImagenet: ${annotations} in ${tree.path} must have a line for every image, got none for ${unlisted}. Fetch the official archive again.`,
    );
  }
  return byClass;
}
