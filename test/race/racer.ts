// One of several that do the same at once: a process, a thread of one, or a process on another host. Takes tasks as lines of JSON and
// answers each with one.
import { createInterface } from 'node:readline';
import { parentPort } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { saveWeights } from '@tfjs-ssl/layers';
import { RunFolder } from '@tfjs-ssl/trainer';
import { downloadTinyImagenet } from '../../packages/datasets/src/download-tiny-imagenet.ts';
import { createImageCache, openImageCache } from '../../packages/datasets/src/image-cache.ts';
import { served } from './served.ts';

/** What to do, where, and when (milliseconds of the clock that all share). */
export interface Task {
  readonly act: keyof typeof acts;
  readonly path: string;
  readonly at: number;
}

/** What came of it. */
export interface Answer {
  readonly value: string | null;
  /** Of the error, where there was one. */
  readonly message: string | null;
}

const chunks = 8;
const perChunk = 4;
const imageBytes = 3072;
const pixelsOf = (chunk: number): Uint8Array => new Uint8Array(perChunk * imageBytes).fill(chunk + 1);

tf.enableProdMode(); // without its advertisement
let run: RunFolder | null = null;
const model = tfl.sequential({ layers: [tfl.layers.dense({ inputShape: [64], units: 512, name: 'fc' })] });

const acts = {
  /** Makes a cache and reads it back. */
  async cache(path: string): Promise<string> {
    const writer = await createImageCache(path, { fingerprint: 'f', count: chunks * perChunk, imageBytes, perChunk });
    for (let chunk = 0; chunk < chunks; chunk++) {
      await writer.write(chunk, pixelsOf(chunk), crc32(pixelsOf(chunk)));
    }
    await writer.commit([]);
    const cache = await openImageCache(path, 'f');
    if ('unusable' in cache) throw new Error(cache.unusable);
    const good = await cache.verify(() => {});
    await cache.file.close();
    return String(good);
  },
  /** Starts a run in the default folder. */
  create: async (path: string): Promise<string> => (await RunFolder.create(path, { seed: 1 }, { numbered: true })).path,
  /** Goes on with a run, until `end`. */
  async resume(path: string): Promise<string> {
    run = await RunFolder.resume(path, { seed: 1 });
    const { step: stepsDone } = await run.restore({ restore() {} });
    await run.begin({ stepsDone, cursor: { epoch: 0, step: stepsDone } });
    return String(stepsDone);
  },
  /** Trains a step and keeps it. */
  async end(): Promise<string> {
    const step = run?.records.length ?? 0;
    const seconds = { load: 0, prepare: 0, step: 1 };
    await run?.append({ step, epoch: 0, loss: 1, metrics: {}, learningRate: 1, seconds, imagesPerSecond: 1 });
    const weight = { dtype: 'F32', shape: [1], data: Float32Array.of(step) } as const;
    await run?.saveCheckpoint({ step: step + 1, tensors: { 'model.weight': weight } }, { epoch: 0, step: step + 1 });
    await run?.end();
    return String(step + 1);
  },
  /** Downloads a zip; a host of its own has no network, so that the answers are made here, the first of which breaks off. */
  async download(folder: string): Promise<string> {
    globalThis.fetch = async (_url, { headers = {} } = {}) => {
      const range = /bytes=(\d+)-/.exec((headers as Record<string, string>).range ?? '')?.[1];
      const from = Number(range ?? 0);
      const piece = served.subarray(from, range ? served.length : served.length / 2);
      const length = { 'content-length': `${served.length - from}` };
      const places = range && { 'content-range': `bytes ${from}-${served.length - 1}/${served.length}` };
      return new Response(piece, { status: range ? 206 : 200, headers: { ...length, ...places } });
    };
    return downloadTinyImagenet({ folder, url: 'http://example.org/served.zip' });
  },
  async saveFile(path: string): Promise<string> {
    await (await RunFolder.open(path)).saveFile('note.txt', `${process.pid}`.repeat(20_000));
    return String(process.pid);
  },
  async saveWeights(path: string): Promise<string> {
    await saveWeights(model, path);
    return 'saved';
  },
};

async function answer({ act, path, at }: Task): Promise<Answer> {
  while (Date.now() < at);
  try {
    return { value: await acts[act](path), message: null };
  } catch (error) {
    return { value: null, message: (error as Error).message };
  }
}

if (parentPort) {
  const port = parentPort;
  port.on('message', (task: Task) => void answer(task).then((result) => port.postMessage(result)));
  port.postMessage('ready');
} else {
  console.log('"ready"');
  createInterface({ input: process.stdin }).on('line', (line) => {
    void answer(JSON.parse(line)).then((result) => console.log(JSON.stringify(result)));
  });
}
