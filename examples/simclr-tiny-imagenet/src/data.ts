import { resolve } from 'node:path';
import { isArgumentError } from '@tfjs-ssl/checks';
import {
  type DatasetProgress,
  downloadTinyImagenet,
  findTinyImagenet,
  generatedImages,
  type ImageDataset,
  imageFolder,
  isTinyImagenet,
  type SkippedImage,
  tinyImagenet,
} from '@tfjs-ssl/datasets';
import type { Options } from './options-table.ts';
import type { Settings } from './settings/table.ts';
import { inWordsOf, UsageError, type Wording } from './usage-error.ts';

/** The images of a run: for training, and for evaluation. */
export interface Data {
  readonly name: 'tiny-imagenet' | 'folder' | 'generated';
  /** Where the images come from; null if they are generated. */
  readonly path: string | null;
  readonly train: ImageDataset;
  readonly val: ImageDataset;
}

/** What images are called in texts. */
export const dataNames: Readonly<Record<Data['name'], string>> = {
  'tiny-imagenet': 'Tiny ImageNet',
  folder: 'a folder of images',
  generated: 'generated images',
};

/** How many classes and images are asked for; all that a folder of images has, if not given. */
export interface Sizes {
  readonly classes?: number;
  readonly imagesPerClass?: number;
}

/** The sizes among other things. */
export function sizesIn({ classes, imagesPerClass }: Sizes): Sizes {
  return { ...(classes !== undefined && { classes }), ...(imagesPerClass !== undefined && { imagesPerClass }) };
}

/** Name of the data folder in the working directory. */
const folder = 'data';

/** Generated images per class for evaluation, as many as Tiny ImageNet has. */
const generatedValImages = 50;

/** Share of a folder of images that is held out for evaluation. */
const holdOut = 0.1;

const withoutImages = [
  'Tiny ImageNet was not found. This run uses generated images: they show that everything works, but they are not a benchmark.',
  'To download it: npm run simclr -- --download   (if you have it, set TINY_IMAGENET to the zip or the unpacked folder)',
];

/**
 * Opens the images and prints which: `--data`, else `TINY_IMAGENET`, else `data/`, else generated images.
 *
 * @param sizes - those that were given; the settings' are Tiny ImageNet's and those of generated images.
 * @param resumed - the images of a resumed run. If they were generated, the run keeps generated images, even if others are there now.
 * @param print - receives lines for people.
 * @throws Error if named images do not exist or cannot be read.
 */
export async function openData(
  options: Options,
  settings: Settings,
  sizes: Sizes,
  resumed: Data['name'] | null,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<Data> {
  const { classes, imagesPerClass, imageSize: size, imageSeed: seed } = settings;
  const path = resumed === 'generated' ? null : ((await find(options)) ?? (await download(options, print, signal)));
  if (path === null) {
    if (resumed === null) for (const line of withoutImages) print(line);
    const open = (split: 'train' | 'val', count: number) =>
      generatedImages({ classes, size, seed, imagesPerClass: count, split });
    try {
      return { name: 'generated', path, train: open('train', imagesPerClass), val: open('val', generatedValImages) };
    } catch (error) {
      return explain(error);
    }
  }
  const decoding = {
    path,
    onCorrupt: options.skipCorrupt ? 'skip' : 'error',
    onProgress: reportProgress(print, signal),
    ...(options.cache === undefined ? {} : { cacheDir: options.cache }),
  } as const;
  const isTiny = await isTinyImagenet(path);
  if (isTiny && size !== 64) {
    throw new UsageError(`--set imageSize: the images of Tiny ImageNet have 64 pixels, got ${size}. Leave it out.`);
  }
  const open = isTiny
    ? (split: 'train' | 'val') =>
        tinyImagenet({ ...decoding, split, classes, ...(split === 'train' ? { imagesPerClass } : {}) })
    : (split: 'train' | 'val') =>
        imageFolder({
          ...decoding,
          split,
          size,
          holdOut,
          ...sizes,
        });
  const train = await open('train').catch(explain);
  const val = await open('val').catch(async (error: unknown) => {
    await train.close();
    return explain(error);
  });
  if (train.classNames.length < 2) {
    await Promise.all([train.close(), val.close()]);
    throw new UsageError(
      `--data: ${path} must have at least two classes, which kNN is to tell apart, got '${train.classNames}' alone. Make one folder for each class.`,
    );
  }
  for (const line of leftOutLines([...train.skipped, ...val.skipped])) print(line);
  return { name: isTiny ? 'tiny-imagenet' : 'folder', path, train, val };
}

/** One line per reason: how many files were left out, and the first of them. */
function leftOutLines(skipped: readonly SkippedImage[]): string[] {
  // both parts of a folder name what lies among its images
  const reasons = new Map(skipped.map(({ file, reason }) => [file, reason]));
  const byReason = new Map<string, string[]>();
  for (const [file, reason] of reasons) {
    const files = byReason.get(reason);
    if (files) files.push(file);
    else byReason.set(reason, [file]);
  }
  return [...byReason].map(([reason, [first, ...others]]) =>
    others.length === 0
      ? `Left out ${first}: it ${reason}`
      : `Left out ${others.length + 1} files, for example ${first}: each ${reason}`,
  );
}

/** How this program names what a data set may refuse, and what it advises instead. */
const inFlags: Readonly<Record<string, Wording>> = {
  classes: { name: '--classes' },
  imagesPerClass: { name: '--images-per-class' },
  images: { name: '--data: images', advice: 'Replace or convert it, or leave such images out with --skip-corrupt.' },
  data: { name: '--data', isFailure: true },
  TINY_IMAGENET: { name: 'The environment variable TINY_IMAGENET', advice: 'Correct or unset it.', isFailure: true },
  holdOut: { name: '--data', required: 'hold out an image for the evaluation', advice: 'Add images.' },
  cacheDir: { name: '--cache', advice: 'Name another folder.' },
};

/** Says an error of a data set in the words of this program. */
function explain(error: unknown): never {
  const wording = isArgumentError(error) && inFlags[error.argument];
  throw wording ? inWordsOf(error, wording) : error;
}

/**
 * Which images options name, before they are opened.
 *
 * @throws Error if named images do not exist.
 */
export async function chosenImages(options: Options): Promise<Pick<Data, 'name' | 'path'>> {
  const path = await find(options);
  if (path === null) return { name: 'generated', path };
  return { name: (await isTinyImagenet(path)) ? 'tiny-imagenet' : 'folder', path };
}

const find = ({ data }: Options): Promise<string | null> =>
  findTinyImagenet({ data, env: process.env, cwd: process.cwd() }).catch(explain);

/** Downloads the images if that is asked for. */
async function download(options: Options, print: (line: string) => void, signal: AbortSignal): Promise<string | null> {
  if (!options.download) return null;
  print(`Downloading Tiny ImageNet into ${resolve(folder)}. Ctrl-C stops; run the same command again to continue.`);
  return downloadTinyImagenet({ folder, signal, onProgress: reportDownload(print) });
}

/** Calls a function at most every so many seconds. */
function throttle<Value>(seconds: number, report: (value: Value) => void): (value: Value) => void {
  let last = performance.now();
  return (value) => {
    if (performance.now() - last < 1000 * seconds) return;
    last = performance.now();
    report(value);
  };
}

function reportProgress(print: (line: string) => void, signal: AbortSignal): (progress: DatasetProgress) => void {
  const report = throttle(2, ({ phase, done, total }: DatasetProgress) => {
    const [what, images] = phase === 'decode' ? ['decoded', 'images'] : ['checked', 'cached images'];
    print(`${what} ${done.toLocaleString('en')} of ${total.toLocaleString('en')} ${images}`);
  });
  return (progress) => {
    signal.throwIfAborted();
    report(progress);
  };
}

function reportDownload(print: (line: string) => void): (progress: { received: number; total: number | null }) => void {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  return throttle(2, ({ received, total }) => {
    print(`downloaded ${megabytes(received)}${total === null ? '' : ` of ${megabytes(total)}`}`);
  });
}
