import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { FileLock } from '@tfjs-ssl/files';
import { readZipDirectory } from './zip-directory.ts';

/** Address at which the authors of Tiny ImageNet (Stanford's course CS231n) offer it: 248 MB, for non-commercial research. */
export const tinyImagenetUrl = 'http://cs231n.stanford.edu/tiny-imagenet-200.zip';

/** How far a download is. */
export interface DownloadProgress {
  /** Bytes on disk, including those of an earlier attempt. */
  readonly received: number;
  /** Bytes in all; null if the server does not say. */
  readonly total: number | null;
}

/** Options of `downloadTinyImagenet`. */
export interface DownloadTinyImagenetOptions {
  /** Folder for the zip; made if it does not exist. */
  readonly folder: string;
  /** Default `tinyImagenetUrl`. */
  readonly url?: string;
  /** Expected SHA-256 of the whole file, hexadecimal; default none. */
  readonly sha256?: string;
  /** Called for every piece that arrives. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Ends the download. What has arrived is kept, and the next call continues from there. */
  readonly signal?: AbortSignal;
}

/**
 * Fetches the official zip of Tiny ImageNet.
 *
 * The file is downloaded to `<name>.part`. If there is one already, the download continues at its end (HTTP Range), or starts again if the
 * server does not support that. The whole file is checked (length, the zip's directory, the digest if given) before it gets its final
 * name. A complete file is checked and returned without a download. Of several at once, threads, processes and hosts that share the folder, one
 * downloads and the others are refused.
 *
 * @returns path of the zip.
 * @throws Error that says what the server answered, that the connection broke, what is wrong with the file, that another downloads it now, or
 * that the folder cannot be written, and what to do.
 * @example
 * ```ts
 * import { downloadTinyImagenet, tinyImagenet } from '@tfjs-ssl/datasets';
 *
 * const path = await downloadTinyImagenet({
 *   folder: 'data',
 *   onProgress: ({ received, total }) => console.log(received, total),
 * });
 * const dataset = await tinyImagenet({ path });
 * ```
 */
export async function downloadTinyImagenet(options: DownloadTinyImagenetOptions): Promise<string> {
  const { url = tinyImagenetUrl, sha256 } = options;
  const folder = resolve(options.folder);
  const path = join(folder, basename(new URL(url).pathname) || 'tiny-imagenet-200.zip');
  const part = `${path}.part`;
  if (await isThere(path, sha256)) return path;
  await mkdir(folder, { recursive: true }).catch((error: Error) => {
    throw unwritable(folder, error);
  });
  const lock = await FileLock.take(`${path}.lock`, `downloadTinyImagenet: ${part}`);
  try {
    if (await isThere(path, sha256)) return path; // another has ended meanwhile
    await receive(url, part, folder, options, lock);
    try {
      await check(part, sha256, 'It has been removed; check the URL and run again.');
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
    await rename(part, path);
    return path;
  } finally {
    await lock.release();
  }
}

async function isThere(path: string, sha256: string | undefined): Promise<boolean> {
  if (!(await sizeOf(path))) return false;
  await check(path, sha256, 'Delete it and run again.');
  return true;
}

async function receive(
  url: string,
  part: string,
  folder: string,
  options: DownloadTinyImagenetOptions,
  lock: FileLock,
): Promise<void> {
  const { onProgress, signal } = options;
  const already = await sizeOf(part);
  const response = await request(url, already, signal);
  const total = totalLength(response);
  if (response.status === 416) {
    await response.body?.cancel();
    // Nothing lies beyond what is there: either that is all of it, or it belongs to another file.
    if (total === already) return;
    await rm(part);
    return receive(url, part, folder, options, lock);
  }
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    throw new Error(
      `downloadTinyImagenet: ${url} answered ${response.status} ${response.statusText}. Check the URL, or put the zip into ${folder} yourself.`,
    );
  }
  const resumed = response.status === 206;
  if (resumed && !response.headers.get('content-range')?.startsWith(`bytes ${already}-`)) {
    await response.body.cancel();
    throw new Error(
      `downloadTinyImagenet: ${url} sent another part of the file than requested. Delete ${part} and run again.`,
    );
  }
  const file = await open(part, resumed ? 'a' : 'w').catch((error: Error) => {
    throw unwritable(folder, error);
  });
  let received = resumed ? already : 0;
  try {
    for await (const piece of pieces(response.body, url, part, signal)) {
      if (lock.lost) await lock.check();
      await file.appendFile(piece).catch((error: Error) => {
        throw unwritable(folder, error);
      });
      received += piece.length;
      onProgress?.({ received, total });
    }
  } finally {
    await file.close();
  }
  await lock.check();
  if (total !== null && received !== total) throw broken(url, part, `${received} of ${total} bytes arrived`);
}

async function request(url: string, already: number, signal: AbortSignal | undefined): Promise<Response> {
  try {
    const headers = { 'accept-encoding': 'identity', ...(already > 0 && { range: `bytes=${already}-` }) };
    return await fetch(url, { headers, ...(signal && { signal }) });
  } catch (error) {
    signal?.throwIfAborted();
    const { cause } = error as Error;
    const why = cause instanceof Error ? cause.message : (error as Error).message;
    throw new Error(
      `downloadTinyImagenet: ${url} cannot be reached (${why}). Check the network, or put the zip into place yourself.`,
      { cause: error },
    );
  }
}

async function* pieces(
  body: ReadableStream<Uint8Array>,
  url: string,
  part: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  try {
    while (true) {
      const { done, value } = await reader.read().catch((error: Error) => {
        signal?.throwIfAborted();
        throw broken(url, part, (error.cause as Error | undefined)?.message ?? error.message, error);
      });
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

/** Length of the whole file from Content-Range or Content-Length. */
function totalLength(response: Response): number | null {
  const range = response.headers.get('content-range');
  const total = range ? /\/(\d+)$/.exec(range)?.[1] : response.headers.get('content-length');
  return total ? Number(total) : null;
}

async function check(path: string, sha256: string | undefined, advice: string): Promise<void> {
  try {
    await readZipDirectory(path);
  } catch (cause) {
    throw new Error(`downloadTinyImagenet: ${path} must be a complete zip. ${advice}`, { cause });
  }
  if (sha256 === undefined) return;
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece);
  const digest = hash.digest('hex');
  if (digest !== sha256.toLowerCase()) {
    throw new Error(`downloadTinyImagenet: ${path} must have SHA-256 ${sha256}, got ${digest}. ${advice}`);
  }
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

function broken(url: string, part: string, why: string, cause?: Error): Error {
  return new Error(
    `downloadTinyImagenet: the connection to ${url} broke (${why}). The part that arrived is in ${part}; run again to continue.`,
    { cause },
  );
}

function unwritable(folder: string, cause: Error): Error {
  return new Error(`downloadTinyImagenet: ${folder} cannot be written (${cause.message}). Name another folder.`, {
    cause,
  });
}
