import { argumentError } from '@tfjs-ssl/checks';
import type { SkippedImage } from './image-dataset.ts';
import { append, byNumber, type ImageListing, selectClasses, some } from './image-listing.ts';
import type { ImageTree } from './image-tree.ts';
import { belongsToSystem } from './walk-folder.ts';

/** The function that errors name. */
const fn = 'imageFolder';

/** Which part of a folder of images is taken. */
export interface FolderSelection {
  readonly split: 'train' | 'val';
  readonly holdOut: number;
  readonly classNames: readonly string[] | undefined;
  readonly classes: number | undefined;
  readonly imagesPerClass: number | undefined;
  readonly onCorrupt: 'error' | 'skip';
}

const readable = /\.(jpe?g|jpe|jfif|png)$/i;
/** Formats of images that are not read: such a file was meant to count. */
const unread =
  /\.(avif|bmp|dcm|dib|exr|gif|hdr|heic|heif|ico|jp2|jxl|pbm|pcx|pgm|pnm|ppm|psd|svg|tga|tiff?|webp|dng|cr2|nef|arw)$/i;

/**
 * Lists a folder of images: a class is a folder, its images are all below it, as torchvision's ImageFolder has it.
 *
 * @throws Error for a tree that holds something else, a class without images and images that are not read.
 */
export function listFolder(tree: ImageTree, selection: FolderSelection): ImageListing {
  const root = rootOfClasses(tree);
  checkContents(tree, root);
  const { byClass, leftOut } = sortIntoClasses(tree, root);
  checkLeftOut(tree, leftOut, selection.onCorrupt);
  const found = [...byClass.keys()].sort();
  if (!found.some((name) => byClass.get(name)?.length)) {
    throw argumentError({
      fn,
      argument: 'path',
      required: 'hold a folder per class with .jpg, .jpeg or .png files',
      got: tree.path,
      shown: `${tree.path}, which holds none`,
      advice: 'Check the path.',
    });
  }
  const classNames = chooseClasses(tree, found, byClass, leftOut, selection);
  const { split, holdOut, imagesPerClass } = selection;
  const files: string[] = [];
  const labels: number[] = [];
  for (const [label, className] of classNames.entries()) {
    const own = byNumber(byClass.get(className) ?? []);
    const isHeldOut = heldOut(own.length, holdOut);
    const wanted = holdOut === 0 ? own : own.filter((_, i) => isHeldOut(i) === (split === 'val'));
    for (const file of wanted.slice(0, imagesPerClass)) {
      files.push(file);
      labels.push(label);
    }
  }
  if (files.length === 0) {
    const got = `no class in ${tree.path} that has two`;
    throw argumentError({
      kind: 'failure',
      fn: 'imageFolder',
      argument: 'holdOut',
      required: `leave an image for split '${split}'`,
      got,
      shown: got,
      advice: 'Add images, or leave holdOut out.',
    });
  }
  return { classNames, files, labels: Int32Array.from(labels), leftOut };
}

/** Which of a class's images are held out: evenly spread, at least one of two or more, never all. */
function heldOut(count: number, holdOut: number): (i: number) => boolean {
  if (Math.floor(count * holdOut) === 0) return (i) => count > 1 && i === count - 1;
  return (i) => Math.floor((i + 1) * holdOut) > Math.floor(i * holdOut);
}

/** The folder whose subfolders are the classes, with a slash. It is '', or the only folder if everything is in one folder that contains only folders. */
function rootOfClasses(tree: ImageTree): string {
  const top = new Set<string>();
  const below = new Set<string>();
  for (const name of [...tree.names, ...tree.folders]) {
    const parts = name.split('/', 3);
    if (parts.some(belongsToSystem)) continue;
    if (parts.length === 1) {
      if (readable.test(name)) return '';
      continue;
    }
    top.add(parts[0] as string);
    if (top.size > 1) return '';
    if (parts.length === 2 && (readable.test(name) || unread.test(name))) return '';
    if (parts.length === 3) below.add(parts[1] as string);
  }
  return below.size > 0 ? `${[...top][0]}/` : '';
}

/** Refuses trees whose folders are no classes: their labels would be wrong without a word. */
function checkContents(tree: ImageTree, root: string): void {
  const isThere = (name: string) => tree.has(name) || tree.has(`${root}${name}`);
  if (isThere('wnids.txt')) {
    throw contentsError(tree, 'Tiny ImageNet', 'Open it with tinyImagenet.');
  }
  if (isThere('val_annotations.txt')) {
    throw contentsError(
      tree,
      'the validation images of Tiny ImageNet, without a folder per class',
      "Open the folder above it, or the zip, with tinyImagenet and split 'val'.",
    );
  }
  const top = topFolders(tree, root);
  const train = top.find((name) => /^(train|training)$/i.test(name));
  const other = top.find((name) => /^(val|valid|validation|test|testing)$/i.test(name));
  if (train !== undefined && other !== undefined) {
    throw contentsError(
      tree,
      `the parts ${train} and ${other}`,
      tree.kind === 'zip'
        ? 'Unpack it and open one part at a time.'
        : `Open one part at a time, the first with path: '${tree.path}/${root}${train}'.`,
    );
  }
}

function contentsError({ path }: ImageTree, contents: string, advice: string): Error {
  return argumentError({
    fn,
    argument: 'path',
    required: 'hold a folder per class',
    got: path,
    shown: `${path}, which holds ${contents}`,
    advice,
  });
}

function topFolders(tree: ImageTree, root: string): string[] {
  const top = new Set<string>();
  for (const name of [...tree.names, ...tree.folders]) {
    if (!name.startsWith(root)) continue;
    const end = name.indexOf('/', root.length);
    const folder = name.slice(root.length, Math.max(end, root.length));
    if (folder !== '' && !belongsToSystem(folder)) top.add(folder);
  }
  return [...top].sort();
}

function sortIntoClasses(tree: ImageTree, root: string): { byClass: Map<string, string[]>; leftOut: SkippedImage[] } {
  const byClass = new Map<string, string[]>(topFolders(tree, root).map((name) => [name, []]));
  const leftOut: SkippedImage[] = [];
  for (const name of tree.names) {
    const parts = (name.startsWith(root) ? name.slice(root.length) : name).split('/');
    if (parts.some(belongsToSystem)) continue;
    const inClass = name.startsWith(root) && parts.length > 1;
    if (inClass && readable.test(name)) append(byClass, parts[0] as string, name);
    else if (unread.test(name)) leftOut.push({ file: name, reason: notRead(name) });
    else if (inClass) leftOut.push({ file: name, reason: 'is no image by its name' });
    else if (readable.test(name)) leftOut.push({ file: name, reason: 'lies in no folder of a class' });
  }
  return { byClass, leftOut };
}

function notRead(name: string): string {
  return `is an image of a format that is not read (${(unread.exec(name) as RegExpExecArray)[0].toLowerCase()})`;
}

function checkLeftOut(tree: ImageTree, leftOut: readonly SkippedImage[], onCorrupt: 'error' | 'skip'): void {
  const images = leftOut.filter(({ file }) => unread.test(file));
  if (images.length === 0 || onCorrupt === 'skip') return;
  const formats = [...new Set(images.map(({ file }) => (unread.exec(file) as RegExpExecArray)[0].toLowerCase()))];
  const [first] = images;
  const which = images.length === 1 ? first?.file : `${images.length} files (the first is ${first?.file})`;
  const got = `${which} in ${tree.path}: ${some(formats)}`;
  throw argumentError({
    kind: 'failure',
    fn: 'imageFolder',
    argument: 'images',
    required: 'be JPEG or PNG',
    got,
    shown: got,
    advice: "Convert such images, or leave them out with onCorrupt: 'skip'.",
  });
}

function chooseClasses(
  tree: ImageTree,
  found: readonly string[],
  byClass: ReadonlyMap<string, readonly string[]>,
  leftOut: readonly SkippedImage[],
  { classNames, classes }: FolderSelection,
): readonly string[] {
  if (classNames !== undefined) {
    const stranger = found.find((name) => byClass.get(name)?.length && !classNames.includes(name));
    if (stranger !== undefined) {
      throw argumentError({
        fn,
        argument: 'classNames',
        required: `name every class in ${tree.path}`,
        got: classNames,
        shown: `${classNames.length} names without '${stranger}'`,
        advice: 'Add the class to them, or move its folder away.',
      });
    }
    return classNames;
  }
  const empty = found.find((name) => byClass.get(name)?.length === 0);
  if (empty !== undefined) {
    const others = leftOut.filter(({ file }) => `/${file}`.includes(`/${empty}/`));
    const what = others[0] ? `${others.length} other files, of which ${others[0].file} ${others[0].reason}` : 'nothing';
    throw argumentError({
      fn,
      argument: 'path',
      required: 'hold images of every class',
      got: tree.path,
      shown: `${tree.path}, where the folder ${empty} holds ${what}`,
      advice:
        'Put images there, move the folder away if it is no class, or pass all classes as classNames, so that the labels of two folders agree.',
    });
  }
  return selectClasses(fn, found, classes);
}
