import { existsSync, statSync } from 'node:fs';
import { RunFolder } from '@tfjs-ssl/trainer';
import { normalizing } from './blocks.ts';
import { chooseEngine } from './choose-engine.ts';
import { openData, type Sizes, sizesIn } from './data.ts';
import { evaluateFully, scalarsOfLinear } from './evaluate.ts';
import { type FineTuned, fineTuneBoth, fineTunedLine, fineTunedScalars } from './fine-tune-arms.ts';
import { flagOf, type ParsedOptions } from './options.ts';
import type { Options } from './options-table.ts';
import type { Output } from './progress.ts';
import { writeReport } from './report.ts';
import { readRunConfig, readSummary, settingsOf } from './run.ts';
import { resolveSettings } from './settings/resolve.ts';
import type { Settings } from './settings/table.ts';
import type { PartialSummary } from './summary.ts';
import { encoderOfFile } from './tables/encoders.ts';
import { UsageError } from './usage-error.ts';

/** How often an encoder is fine-tuned with a fraction of the labels. */
const usualSeeds = 3;

/** An encoder to evaluate, and the images to use. */
interface Subject {
  readonly file: string;
  readonly options: Options;
  readonly settings: Settings;
  readonly sizes: Sizes;
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
  const { file, options, settings, sizes, trainedOn, run } = await subjectOf(parsed);
  const engine = await chooseEngine(options, { ...settings, precision: 'float32' });
  const data = await openData(options, settings, sizes, trainedOn, print, signal);
  try {
    const { train, val } = data;
    const [height, width] = train.imageShape;
    const encoder = await encoderOfFile(file, { inputShape: [height, width, 3] });
    try {
      print(`Evaluating ${file} on ${engine.name}: ${engine.device}`);
      print(
        `${data.name}: ${train.classNames.length} classes (chance ${(100 / train.classNames.length).toFixed(1)}%), ${train.length.toLocaleString('en')} training and ${val.length.toLocaleString('en')} validation images`,
      );
      const normalization = options.normalize ? 'imagenet' : settings.normalization;
      const transform = normalizing(normalization);
      const evaluation = await evaluateFully(encoder, data, { signal, transform, sgd: options.sgdProbe, print });
      await keep(run, { evaluation }, scalarsOfLinear(evaluation), print);
      const seeds = Array.from({ length: options.fineTuneSeeds ?? usualSeeds }, (_, seed) => seed);
      for (const fraction of options.fineTune ?? []) {
        const call = {
          file,
          data,
          seeds,
          signal,
          epochs: options.fineTuneEpochs,
          settings: { ...settings, normalization },
        };
        const fineTuned = await fineTuneBoth(call, fraction, output);
        print(fineTunedLine(fineTuned));
        await keep(run, { fineTuning: await withEarlier(run, fineTuned) }, fineTunedScalars(fineTuned), print);
      }
      if (run !== null) print(`Saved in ${run.path}: summary.json, report.html, events for TensorBoard`);
    } finally {
      encoder.dispose();
    }
  } finally {
    await Promise.all([data.train.close(), data.val.close()]);
  }
}

/** Adds results to the files of a run; of a file that belongs to no run nothing is kept. */
async function keep(
  run: RunFolder | null,
  results: Pick<PartialSummary, 'evaluation' | 'fineTuning'>,
  scalars: Readonly<Record<string, number>>,
  print: (line: string) => void,
): Promise<void> {
  if (run === null) return;
  await run.saveSummary({ ...(await readSummary(run.path)), ...results });
  await run.addScalars(run.records.length, scalars);
  await writeReport(run, print);
}

/** What fine-tuning with this fraction has given, among what earlier calls have kept of others. */
async function withEarlier(run: RunFolder | null, fineTuned: FineTuned): Promise<readonly FineTuned[]> {
  const earlier = (run && (await readSummary(run.path))?.fineTuning) ?? [];
  const others = earlier.filter(({ fraction }) => fraction !== fineTuned.fraction);
  return [...others, fineTuned].sort((a, b) => a.fraction - b.fraction);
}

async function subjectOf({ options, given, settings: set }: ParsedOptions): Promise<Subject> {
  const path = options.evaluate as string;
  if (!existsSync(path)) {
    throw new UsageError(`--evaluate ${path}: there is nothing. Name the folder of a run, or a safetensors file.`);
  }
  if (!statSync(path).isDirectory()) {
    return { file: path, options, settings: resolveSettings(set), sizes: sizesIn(set), trainedOn: null, run: null };
  }
  const config = await readRunConfig(path, '--evaluate');
  const fixed = [...Object.keys(set).map(flagOf), ...(given.has('normalize') ? ['--normalize'] : [])];
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
  const { classes: _, imagesPerClass: __, ...saved } = config.options;
  const asked = Object.fromEntries([...given].map((name) => [name, options[name]]));
  return {
    file: run.modelPath,
    options: { ...options, ...saved, ...asked },
    settings: settingsOf(config),
    sizes: sizesIn(config.options),
    trainedOn: config.images.data,
    run,
  };
}
