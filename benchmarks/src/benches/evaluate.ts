import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { generatedImages, type ImageDataset, tinyImagenet } from '@tfjs-ssl/datasets';
import { extractFeatures, knnAccuracy, linearProbe, probeAccuracy } from '@tfjs-ssl/evaluation';
import { loadWeights, resnet18 } from '@tfjs-ssl/resnet';
import type { Bench } from '../bench.ts';
import { type TextOption, UsageError } from '../options.ts';
import { runtimeName } from '../runtime.ts';
import { startBenchEngine } from '../start-engine.ts';
import { significant } from '../statistics.ts';

interface Options extends Record<string, TextOption> {
  readonly run: TextOption;
  readonly engine: TextOption;
  readonly cache: TextOption;
  readonly pixels: TextOption;
}

const options: Options = {
  run: { type: 'text', default: '', help: 'folder of a finished run of the example' },
  engine: { type: 'text', default: 'auto', help: 'engine to use' },
  cache: { type: 'text', default: '', help: "folder of decoded images; if empty, the user's cache folder" },
  pixels: {
    type: 'text',
    default: '',
    help: 'evaluate nothing; write the training images to this file as uint8, for other programs',
  },
};

/** What the bench needs of a run's `config.json`. */
interface RunConfig {
  readonly classes: number;
  readonly imagesPerClass: number;
  readonly imageSize: number;
  readonly seed: number;
  readonly encoder: { readonly stem: 'imagenet' | 'small'; readonly width: number };
  readonly images: { readonly data: string };
  readonly options: { readonly data?: string };
}

/** Penalty of the linear probe: scikit-learn's C = 1 for 100,000 images. */
const LAMBDA = 1e-5;

/** Measures the features of a run's encoder with kNN and a linear classifier. */
export const evaluate: Bench<Options> = {
  name: 'evaluate',
  summary: "kNN accuracy and linear probe of a run's encoder on its validation images",
  options,
  async run(chosen, log) {
    if (chosen.run === '') throw new UsageError('bench evaluate: --run must name the folder of a run, got none.');
    const config = JSON.parse(await readFile(join(chosen.run, 'config.json'), 'utf8')) as RunConfig;
    const train = await open(config, 'train', chosen.cache);
    const val = await open(config, 'val', chosen.cache);
    try {
      if (chosen.pixels !== '') return await writePixels(train, chosen.pixels);
      const engine = await startBenchEngine(evaluate.name, chosen.engine, 1);
      log(`engine ${engine.name} ${engine.version} on ${engine.device}`);
      const { imageSize, encoder: encoderSettings } = config;
      const encoder = resnet18({ inputShape: [imageSize, imageSize, 3], ...encoderSettings });
      await loadWeights(encoder, join(chosen.run, 'model.safetensors'));
      const start = performance.now();
      const [bank, queries] = [await extractFeatures(encoder, train), await extractFeatures(encoder, val)];
      log(`features of ${train.length} and ${val.length} images`);
      const classes = train.classNames.length;
      const neighbours = new Set([20, 200].map((k) => Math.min(k, train.length)));
      const knn: Record<string, number> = {};
      for (const k of neighbours) {
        const labels = { bankLabels: train.labels, queryLabels: val.labels, classes };
        knn[k] = significant(await knnAccuracy({ bank, queries, ...labels, k, temperature: 0.1 }), 4);
      }
      log(`kNN ${JSON.stringify(knn)}`);
      const probe = await linearProbe({
        features: bank,
        labels: train.labels,
        classes,
        lambda: LAMBDA,
        maxIterations: 300,
      });
      const linear = significant(await probeAccuracy({ probe, features: queries, labels: val.labels }), 4);
      const seconds = significant((performance.now() - start) / 1000);
      tf.dispose([bank, queries, probe.weights, probe.bias]);
      encoder.dispose();
      const { iterations, converged } = probe;
      return {
        record: {
          bench: evaluate.name,
          run: chosen.run,
          data: train.name,
          device: engine.device,
          runtime: runtimeName(engine.name),
          knn,
          linear,
          iterations,
          converged,
          seconds,
        },
        table: [
          ['run', chosen.run],
          ['images', `${train.length} and ${val.length} of ${classes} classes, ${train.name}`],
          ...Object.entries(knn).map(([k, accuracy]) => [`kNN, k = ${k}`, percent(accuracy)] as const),
          ['linear probe', `${percent(linear)} after ${iterations} iterations${converged ? '' : ' (not converged)'}`],
          ['device', engine.device],
        ],
      };
    } finally {
      await Promise.all([train.close(), val.close()]);
    }
  },
};

const percent = (part: number) => `${(100 * part).toFixed(1)} %`;

async function open(config: RunConfig, split: 'train' | 'val', cache: string): Promise<ImageDataset> {
  const { classes, imagesPerClass, imageSize: size, seed } = config;
  const perClass = split === 'train' ? { imagesPerClass } : {};
  if (config.images.data === 'generated') {
    return generatedImages({ classes, size, seed, split, imagesPerClass: split === 'train' ? imagesPerClass : 50 });
  }
  if (config.images.data !== 'tiny-imagenet' || !config.options.data) {
    throw new UsageError(
      `bench evaluate: the run must be one on Tiny ImageNet or on generated images, got one on ${config.images.data}.`,
    );
  }
  const path = config.options.data;
  return tinyImagenet({ path, split, classes, ...perClass, ...(cache === '' ? {} : { cacheDir: cache }) });
}

async function writePixels(images: ImageDataset, path: string) {
  const parts: Uint8Array[] = [];
  for (let from = 0; from < images.length; from += 4096) {
    const count = Math.min(4096, images.length - from);
    parts.push((await images.read(Int32Array.from({ length: count }, (_, i) => from + i))).slice());
  }
  await writeFile(path, parts);
  const record = { bench: evaluate.name, pixels: path, shape: [images.length, ...images.imageShape] };
  return { record, table: [['pixels', `${path}, shape [${record.shape}]`] as const] };
}
