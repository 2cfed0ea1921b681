import type { ImageTree } from './image-tree.ts';

/** Which files a data set has, in its order. */
export interface ImageListing {
  readonly classNames: readonly string[];
  /** Names in the tree. */
  readonly files: readonly string[];
  /** Position in `classNames`, one per file. */
  readonly labels: Int32Array;
}

/** Which part of a data set is taken. */
export interface Selection {
  readonly classes?: number | undefined;
  readonly imagesPerClass?: number | undefined;
}

const expectedLayout =
  'wnids.txt, train/<class>/images/*.JPEG, val/val_annotations.txt and val/images/*.JPEG, as in the official archive';

/**
 * Lists a split of Tiny ImageNet: classes in sorted order, within a class by the number in the file's name.
 *
 * @throws Error that names what is missing.
 */
export function listTinyImagenet(tree: ImageTree, split: 'train' | 'val', selection: Selection): ImageListing {
  const prefix = findRoot(tree);
  const all = tree.readText(`${prefix}wnids.txt`).split(/\s+/).filter(Boolean).sort();
  const classNames = selectClasses('tinyImagenet', all, selection.classes);
  const byClass = split === 'train' ? trainFiles(tree, prefix) : valFiles(tree, prefix, all);
  const missing = all.filter((name) => !byClass.has(name));
  if (missing.length > 0) {
    throw new Error(
      `tinyImagenet: ${tree.path} has ${split} images of ${all.length - missing.length} of the ${all.length} classes in wnids.txt; ` +
        `${missing[0]} is the first without any. Fetch the official archive again.`,
    );
  }
  const { imagesPerClass } = selection;
  const files: string[] = [];
  const labels: number[] = [];
  for (const [label, name] of classNames.entries()) {
    const names = byNumber(byClass.get(name) as string[]);
    if (imagesPerClass !== undefined && imagesPerClass > names.length) {
      throw new RangeError(
        `tinyImagenet: imagesPerClass must be at most ${names.length}, the ${split} images of class ${name}, got ${imagesPerClass}.`,
      );
    }
    for (const file of names.slice(0, imagesPerClass)) {
      files.push(file);
      labels.push(label);
    }
  }
  return { classNames, files, labels: Int32Array.from(labels) };
}

/** Takes every (available / classes)-th class of the sorted list: 10 of 200 are the 1st, 21st, 41st ... */
export function selectClasses(caller: string, all: readonly string[], classes: number = all.length): string[] {
  if (!Number.isInteger(classes) || classes < 1 || classes > all.length) {
    throw new RangeError(`${caller}: classes must be an integer from 1 to ${all.length}, got ${classes}.`);
  }
  return Array.from({ length: classes }, (_, i) => all[Math.floor((i * all.length) / classes)] as string);
}

/** Checks `imagesPerClass`. */
export function checkImagesPerClass(caller: string, imagesPerClass: number | undefined): void {
  if (imagesPerClass !== undefined && (!Number.isInteger(imagesPerClass) || imagesPerClass < 1)) {
    throw new RangeError(`${caller}: imagesPerClass must be a positive integer, got ${imagesPerClass}.`);
  }
}

/** Sorts names by the last number in them, then alphabetically: image_2 before image_10. */
export function byNumber(names: readonly string[]): string[] {
  const number = (name: string) => Number(/(\d+)\D*$/.exec(name)?.[1] ?? 0);
  return names
    .map((name) => ({ name, number: number(name) }))
    .sort((a, b) => a.number - b.number || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map(({ name }) => name);
}

function findRoot(tree: ImageTree): string {
  const marker = tree.names
    .filter((name) => /^([^/]+\/)?wnids\.txt$/.test(name))
    .sort((a, b) => a.length - b.length)[0];
  if (marker !== undefined) return marker.slice(0, -'wnids.txt'.length);
  const top = [...new Set(tree.names.map((name) => name.split('/', 1)[0]))].sort();
  const shown = top.length === 0 ? 'nothing' : top.slice(0, 5).join(', ') + (top.length > 5 ? ', ...' : '');
  throw new Error(`tinyImagenet: ${tree.path} must hold ${expectedLayout}; it holds ${shown}. Check the path.`);
}

function trainFiles(tree: ImageTree, prefix: string): Map<string, string[]> {
  const byClass = new Map<string, string[]>();
  const pattern = /^([^/]+)\/images\/[^/.][^/]*\.jpe?g$/i;
  const start = `${prefix}train/`;
  for (const name of tree.names) {
    const className = name.startsWith(start) ? pattern.exec(name.slice(start.length))?.[1] : undefined;
    if (className !== undefined) append(byClass, className, name);
  }
  return byClass;
}

function valFiles(tree: ImageTree, prefix: string, classes: readonly string[]): Map<string, string[]> {
  const annotations = `${prefix}val/val_annotations.txt`;
  if (!tree.has(annotations)) {
    throw new Error(
      `tinyImagenet: ${tree.path} has no ${annotations}, which holds the labels of the validation images. ` +
        `Fetch the official archive again, or use split 'train' alone.`,
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
      throw new Error(`${where(i)} names ${file}, which is not there. Fetch the official archive again.`);
    listed.add(name);
    append(byClass, className, name);
  }
  const unlisted = tree.names.find(
    (name) => name.startsWith(`${prefix}val/images/`) && /\/[^/.][^/]*\.jpe?g$/i.test(name) && !listed.has(name),
  );
  if (unlisted) {
    throw new Error(
      `tinyImagenet: ${annotations} in ${tree.path} has no line for ${unlisted}: its label is unknown. Fetch the official archive again.`,
    );
  }
  return byClass;
}

/** Appends to the list under a key. */
export function append(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}
