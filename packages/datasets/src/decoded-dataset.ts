import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { argumentError, checkChoice } from '@tfjs-ssl/checks';
import type { DecodeTask, Fit } from '../workers/decode-worker.js';
import { defaultCacheFolder } from './cache-folder.ts';
import { decodeOnWorkers, workerCount } from './decode-pool.ts';
import { type CacheDescription, createImageCache, type ImageCacheWriter, openImageCache } from './image-cache.ts';
import { bytesPerImage, type DatasetProgress, type ImageDataset, readTarget } from './image-dataset.ts';
import type { ImageListing } from './image-listing.ts';
import { fileStore, type ImageStore } from './image-store.ts';
import type { ImageTree } from './image-tree.ts';
import { memoryStore } from './memory-store.ts';

/** Options that all data sets of encoded images share. */
export interface DecodingOptions {
  /**
   * Folder for the decoded images, which the next run reads instead of decoding; default `tfjs-ssl` in the user's cache folder.
   * null: no file is written, and all images are held in memory, whatever their size.
   */
  readonly cacheDir?: string | null;
  /** Called while images are decoded or a cache is verified, about every 256 images. */
  readonly onProgress?: (progress: DatasetProgress) => void;
  /** What to do with a file that cannot be decoded: throw an error that names it (default), or leave it out and list it in `skipped`. */
  readonly onCorrupt?: 'error' | 'skip';
  /** Decoding threads; default: one per processor that this process may use, at most 8. */
  readonly workers?: number;
  /** Largest number of bytes of pixels to hold in memory; the rest is read from the cache file; default 268,435,456 (256 MiB). */
  readonly memoryLimit?: number;
}

/** A listing with all that is needed to decode it. */
export interface DecodedSource extends DecodingOptions {
  readonly caller: string;
  readonly name: 'tiny-imagenet' | 'folder';
  readonly split: 'train' | 'val';
  readonly tree: ImageTree;
  readonly listing: ImageListing;
  readonly fit: Fit;
}

const defaultMemoryLimit = 256 * 1024 * 1024;

/** To be raised when decoding or resizing gives other bytes than before: caches made earlier are then made again. */
const revision = 3;

/** Opens a listing as a data set: from its cache if the cache is good; otherwise it decodes the images and caches them. */
export async function openDecodedDataset(source: DecodedSource): Promise<ImageDataset> {
  const { caller, tree, listing, fit, onCorrupt = 'error', memoryLimit = defaultMemoryLimit } = source;
  checkOnCorrupt(caller, onCorrupt);
  const workers = workerCount(caller, source.workers);
  const shape = [fit.size, fit.size, 3] as const;
  const imageBytes = bytesPerImage(shape);
  const count = listing.files.length;
  const inMemory = source.cacheDir === null || count * imageBytes <= memoryLimit;
  const layout = { count, imageBytes, perChunk: Math.max(1, Math.min(256, Math.floor(2 ** 22 / imageBytes))) };
  const decode = (writer: ImageCacheWriter | null, pixels: Uint8Array | null, reason: string) =>
    decodeListing({ ...source, onCorrupt }, layout, workers, writer, pixels, reason);

  let store: ImageStore;
  let failures: CacheDescription['failures'];
  if (source.cacheDir === null) {
    const pixels = new Uint8Array(count * imageBytes);
    failures = await decode(null, pixels, 'cacheDir is null');
    store = memoryStore(pixels, imageBytes);
  } else {
    const folder = resolve(source.cacheDir ?? defaultCacheFolder());
    const path = join(folder, cacheName(source));
    const fingerprint = [revision, decoderVersion(), await tree.fingerprint(listing.files)].join(' ');
    try {
      ({ store, failures } = await openThroughCache(source, path, { ...layout, fingerprint }, inMemory, decode));
    } catch (error) {
      throw cacheError(error, caller, folder, count * imageBytes);
    }
  }
  if (failures.length > 0 && onCorrupt === 'error') {
    await store.close();
    throw corruptError(source, failures[0] as CacheDescription['failures'][number]);
  }
  try {
    return datasetOf(source, shape, store, failures);
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Checks the option `onCorrupt`. */
export function checkOnCorrupt(caller: string, onCorrupt: string): void {
  checkChoice(caller, 'onCorrupt', onCorrupt, ['error', 'skip']);
}

async function openThroughCache(
  source: DecodedSource,
  path: string,
  description: Omit<CacheDescription, 'failures'>,
  inMemory: boolean,
  decode: (
    writer: ImageCacheWriter,
    pixels: Uint8Array | null,
    reason: string,
  ) => Promise<CacheDescription['failures']>,
): Promise<{ store: ImageStore; failures: CacheDescription['failures'] }> {
  const { count, imageBytes, perChunk, fingerprint } = description;
  const pixels = inMemory ? new Uint8Array(count * imageBytes) : null;
  let cache = await openImageCache(path, fingerprint);
  if (!('unusable' in cache)) {
    const { file, start, failures } = cache;
    const verified = cache.verify((chunk, bytes) => {
      pixels?.set(bytes, chunk * perChunk * imageBytes);
      source.onProgress?.({ phase: 'check', done: Math.min(count, (chunk + 1) * perChunk), total: count });
    });
    const good = await verified.catch(async (error: unknown) => {
      await file.close();
      throw error;
    });
    if (good && !pixels) return { store: fileStore(file, start, imageBytes), failures };
    await file.close();
    if (good && pixels) return { store: memoryStore(pixels, imageBytes), failures };
    cache = { unusable: 'the cache is damaged' };
  }
  const writer = await createImageCache(path, description);
  let failures: CacheDescription['failures'];
  try {
    failures = await decode(writer, pixels, cache.unusable);
    await writer.commit(failures);
  } catch (error) {
    await writer.abort();
    throw error;
  }
  if (pixels) return { store: memoryStore(pixels, imageBytes), failures };
  const made = await openImageCache(path, fingerprint);
  if ('unusable' in made) throw new Error(`${source.caller}: another program changed the cache ${path}. Run again.`);
  return { store: fileStore(made.file, made.start, imageBytes), failures };
}

async function decodeListing(
  source: DecodedSource & { onCorrupt: 'error' | 'skip' },
  layout: { count: number; imageBytes: number; perChunk: number },
  workers: number,
  writer: ImageCacheWriter | null,
  pixels: Uint8Array | null,
  reason: string,
): Promise<CacheDescription['failures']> {
  const { count, imageBytes, perChunk } = layout;
  const { tree, listing, fit } = source;
  const failures: Array<{ position: number; reason: string }> = [];
  function* tasks(): Generator<DecodeTask> {
    for (let first = 0; first < count; first += perChunk) {
      const sources = listing.files.slice(first, first + perChunk).map((name) => tree.reference(name));
      yield { sources, fit };
    }
  }
  let done = 0;
  source.onProgress?.({ phase: 'decode', done, total: count, reason });
  await decodeOnWorkers(
    tasks(),
    async (chunk, result) => {
      for (const { position, reason: why, unreadable } of result.failures) {
        const failure = { position: chunk * perChunk + position, reason: why };
        if (unreadable) throw unreadableError(source, failure);
        if (source.onCorrupt === 'error') throw corruptError(source, failure);
        failures.push(failure);
      }
      pixels?.set(result.pixels, chunk * perChunk * imageBytes);
      await writer?.write(chunk, result.pixels, result.checksum);
      done += result.pixels.length / imageBytes;
      source.onProgress?.({ phase: 'decode', done, total: count, reason });
    },
    { workers: Math.min(workers, Math.ceil(count / perChunk)) },
  );
  return failures.sort((a, b) => a.position - b.position);
}

function datasetOf(
  { caller, name, split, tree, listing }: DecodedSource,
  shape: readonly [number, number, 3],
  store: ImageStore,
  failures: CacheDescription['failures'],
): ImageDataset {
  const failed = new Set(failures.map(({ position }) => position));
  const kept = Int32Array.from(listing.files.keys()).filter((position) => !failed.has(position));
  if (kept.length === 0)
    throw new Error(`${caller}: none of the ${failed.size} images in ${tree.path} can be decoded. Replace them.`);
  checkClasses(caller, tree.path, listing, failures);
  let open = true;
  return {
    name,
    split,
    length: kept.length,
    imageShape: shape,
    classNames: listing.classNames,
    labels: kept.map((position) => listing.labels[position] as number),
    skipped: [
      ...listing.leftOut,
      ...failures.map(({ position, reason }) => ({ file: listing.files[position] as string, reason })),
    ],
    async read(indices, out) {
      if (!open) throw new Error('read: the data set is closed. Open it again.');
      const target = readTarget(indices, out, kept.length, bytesPerImage(shape));
      await store.read(
        Int32Array.from(indices, (index) => kept[index] as number),
        target,
      );
      return target;
    },
    async close() {
      if (open) await store.close();
      open = false;
    },
  };
}

/** A class that loses its last image would be missing without a word. */
function checkClasses(
  caller: string,
  path: string,
  { classNames, labels, files }: ImageListing,
  failures: CacheDescription['failures'],
): void {
  const images = classNames.map(() => 0);
  for (const label of labels) images[label] = (images[label] as number) + 1;
  const left = [...images];
  for (const { position, reason } of failures) {
    const label = labels[position] as number;
    left[label] = (left[label] as number) - 1;
    if (left[label] === 0) {
      const count = images[label] === 1 ? 'its only image' : `all its ${images[label]} images`;
      throw new Error(
        `${caller}: class ${classNames[label]} in ${path} must keep an image, got ${count} left out: ${files[position]} ${reason}. ` +
          'Replace the images, or remove the class.',
      );
    }
  }
}

function cacheName({ name, split, tree, listing, fit }: DecodedSource): string {
  const hash = createHash('sha256').update(JSON.stringify([tree.path, name, split, fit]));
  for (const file of listing.files) hash.update(`\n${file}`);
  return `${name}-${split}-${fit.size}px-${hash.digest('hex').slice(0, 16)}.images`;
}

function decoderVersion(): string {
  const load = createRequire(import.meta.url);
  return `@jsquash/jpeg ${load('@jsquash/jpeg/package.json').version}`;
}

function corruptError({ caller, tree, listing }: DecodedSource, failure: { position: number; reason: string }): Error {
  const got = `${listing.files[failure.position]} in ${tree.path}, which ${failure.reason}`;
  return argumentError({
    kind: 'failure',
    fn: caller,
    argument: 'images',
    required: 'be readable',
    got,
    shown: got,
    advice: "Replace it, or leave such images out with onCorrupt: 'skip'.",
  });
}

/** Never skipped: what is left out is remembered in the cache, and the next attempt may succeed. */
function unreadableError(
  { caller, tree, listing }: DecodedSource,
  failure: { position: number; reason: string },
): Error {
  return new Error(
    `${caller}: ${listing.files[failure.position]} in ${tree.path} cannot be read (${failure.reason}). Check its permissions and the disk, then run again.`,
  );
}

/** Faults of the cache folder get advice; other errors pass. */
function cacheError(error: unknown, caller: string, folder: string, bytes: number): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  const got = `${folder} (${error.message}); the decoded images need ${(bytes / 1e6).toFixed(1)} MB`;
  return argumentError({
    kind: 'failure',
    fn: caller,
    argument: 'cacheDir',
    required: 'be a folder that can be written',
    got,
    shown: got,
    advice: 'Name another folder, or hold the images in memory with cacheDir: null.',
    cause: error,
  });
}
