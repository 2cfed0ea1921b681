import { existsSync, statSync } from 'node:fs';
import type * as tf from '@tensorflow/tfjs-core';
import { normalize } from '@tfjs-ssl/augmentations';
import { loadEncoder } from '@tfjs-ssl/resnet';
import { RunFolder } from '@tfjs-ssl/trainer';
import { chooseEngine } from './choose-engine.ts';
import { openData } from './data.ts';
import { evaluateFully } from './evaluate.ts';
import type { Options, ParsedOptions } from './options.ts';
import type { Output } from './progress.ts';
import { writeReport } from './report.ts';
import { readRunConfig, readSummary } from './run.ts';
import { resolveSettings, type Settings } from './settings.ts';
import { UsageError } from './usage-error.ts';

/** An encoder to evaluate, and the images to use. */
interface Subject {
  readonly file: string;
  readonly options: Options;
  readonly settings: Settings;
  readonly trainedOn: 'tiny-imagenet' | 'folder' | 'generated' | null;
  /** Null for a file that belongs to no run. */
  readonly run: RunFolder | null;
}

/**
 * Evaluates the encoder of a run or of a file. The figures of a run go into its `summary.json` and `report.html`.
 *
 * @throws UsageError if there is neither a run nor a file; the signal's reason.
 */
export async function runEvaluation(parsed: ParsedOptions, output: Output, signal: AbortSignal): Promise<void> {
  const print = (line: string) => void output.write(`${line}\n`);
  const { file, options, settings, trainedOn, run } = await subjectOf(parsed);
  const engine = await chooseEngine(options, { ...settings, precision: 'float32' });
  const data = await openData(options, settings, trainedOn, print, signal);
  try {
    const { train, val } = data;
    const [height, width] = train.imageShape;
    const encoder = await loadEncoder(file, { inputShape: [height, width, 3] });
    try {
      print(`Evaluating ${file} on ${engine.name}: ${engine.device}`);
      print(
        `${data.name}: ${train.classNames.length} classes (chance ${(100 / train.classNames.length).toFixed(1)}%), ${train.length.toLocaleString('en')} training and ${val.length.toLocaleString('en')} validation images`,
      );
      const transform = options.normalize ? normalized : undefined;
      const evaluation = await evaluateFully(encoder, data, { signal, transform, print });
      if (run === null) return;
      await run.saveSummary({ ...(await readSummary(run.path)), evaluation });
      await writeReport(run, print);
      print(`Saved in ${run.path}: summary.json, report.html`);
    } finally {
      encoder.dispose();
    }
  } finally {
    await Promise.all([data.train.close(), data.val.close()]);
  }
}

async function subjectOf({ options, given }: ParsedOptions): Promise<Subject> {
  const path = options.evaluate as string;
  if (!existsSync(path)) {
    throw new UsageError(`--evaluate ${path}: there is nothing. Name the folder of a run, or a safetensors file.`);
  }
  if (!statSync(path).isDirectory()) {
    return { file: path, options, settings: resolveSettings(options), trainedOn: null, run: null };
  }
  const config = await readRunConfig(path, '--evaluate');
  const fixed = (['scale', 'classes', 'imagesPerClass', 'seed', 'normalize'] as const).filter((name) =>
    given.has(name),
  );
  if (fixed.length > 0) {
    throw new UsageError(
      `--evaluate ${path}: a run is evaluated on its own images, got ${fixed.join(', ')}. Leave it out, or name the model file.`,
    );
  }
  const run = await RunFolder.open(path);
  if (!existsSync(run.modelPath)) {
    throw new UsageError(
      `--evaluate ${path}: this run has no model yet. Let it end: npm run simclr -- --resume ${path}`,
    );
  }
  const asked = Object.fromEntries([...given].map((name) => [name, options[name]]));
  const merged = { ...options, ...config.options, ...asked };
  return { file: run.modelPath, options: merged, settings: config, trainedOn: config.images.data, run };
}

/** ImageNet's mean and deviation, as torchvision's weights expect. */
function normalized(images: tf.Tensor4D): tf.Tensor4D {
  return normalize(images, { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] });
}
