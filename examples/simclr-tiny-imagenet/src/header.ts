import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import type { EngineInUse } from '@tfjs-ssl/engine';
import { configDifferences } from '@tfjs-ssl/trainer';
import { countParameters, type Model } from './blocks.ts';
import type { Data } from './data.ts';
import { resolveSettings } from './settings/resolve.ts';
import type { Settings } from './settings/table.ts';

const thousands = (n: number): string => n.toLocaleString('en');

/** Number of parameters of a two-layer head on 512 features, as the paper and its baseline have at full width. */
const headParameters = (hidden: number): number => 512 * hidden + hidden + hidden * 128 + 128;

/** Version of this library. */
function libraryVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}

/** Versions of everything that affects the numbers, for the header and the run's config. */
export function versions(engine: EngineInUse): Record<string, string> {
  return {
    'tfjs-ssl': libraryVersion(),
    'TensorFlow.js': tf.version_core,
    Node: process.versions.node,
    engine: engine.version,
  };
}

/** Speed of the engine `simd` on Node 24 relative to Node 20, from `bench train-step`. */
const NEWER_NODE = 1.8;

/** Advice to use a newer Node.js if it is much faster. Continuous integration gets none, because nobody can choose there. */
export function nodeAdvice(engine: string, node: string, environment: NodeJS.ProcessEnv): string[] {
  const inIntegration = environment.CI !== undefined && environment.CI !== '' && environment.CI !== 'false';
  if (engine !== 'simd' || inIntegration || Number(node.split('.')[0]) >= 22) return [];
  return [`Node 24 is about ${NEWER_NODE} times as fast on this engine.`];
}

/** The lines that open a run: engine, versions, data, model and number of steps. */
export function headerLines(run: {
  readonly settings: Settings;
  readonly engine: EngineInUse;
  readonly data: Data;
  readonly model: Model;
  readonly stepsPerEpoch: number;
  /** Where the processes run that train together; null for one alone. */
  readonly ranks: string | null;
  /** The images of a rank, if each rank compares and normalises its own alone; null otherwise. */
  readonly imagesApart?: number | null;
  /** Run folder; null if nothing is written. */
  readonly folder: string | null;
}): string[] {
  const { settings, engine, data, model, stepsPerEpoch, ranks, imagesApart = null, folder } = run;
  const { train, val } = data;
  const [height, width] = train.imageShape;
  const parameters = countParameters(model);
  const line = (label: string, text: string) => `  ${label.padEnd(12)}${text}`;
  return [
    `SimCLR with ${settings.encoder.name}: preset ${settings.preset}, scale ${settings.scale}, precision ${settings.precision}`,
    line('engine', `${engine.name}: ${engine.device}`),
    ...(ranks === null ? [] : [line('ranks', ranks)]),
    ...(imagesApart === null
      ? []
      : [
          line(
            '',
            `on ${engine.name}, each rank compares its ${imagesApart} images with each other alone, and normalises them by their own statistics`,
          ),
        ]),
    ...engine.passedOver.map(({ name, reason }) => line('', `${name} is not used: ${reason}`)),
    line(
      'versions',
      Object.entries(versions(engine))
        .map(([name, version]) => (name === 'engine' ? version : `${name} ${version}`))
        .join(', '),
    ),
    ...nodeAdvice(engine.name, process.versions.node, process.env).map((text) => line('', text)),
    line('data', `${data.name}${data.path === null ? '' : `, ${data.path}`}`),
    line(
      '',
      `${train.classNames.length} classes, ${thousands(train.length)} training images of ${height}x${width} pixels, ${thousands(val.length)} validation images`,
    ),
    line('seed', `${settings.seed}`),
    line('parameters', `encoder ${thousands(parameters.encoder)}, head ${thousands(parameters.head)}`),
    line(
      '',
      `(heads at full width: slim ${thousands(headParameters(256))}, baseline ${thousands(headParameters(512))})`,
    ),
    line(
      'steps',
      `${thousands(stepsPerEpoch)} per epoch, ${settings.epochs} ${settings.epochs === 1 ? 'epoch' : 'epochs'}, ${thousands(stepsPerEpoch * settings.epochs)} in total; each step takes ${settings.batchSize} images, ${2 * settings.batchSize} views`,
    ),
    ...(folder === null ? [] : [line('run folder', folder)]),
  ];
}

/** One line for each setting that is not the full experiment's: those that the quick scale changes, and those of the call. */
export function changedLines(used: Settings): string[] {
  const { preset, precision, seed, imageSeed } = used;
  const full = resolveSettings({ preset, scale: 'full', precision, seed, imageSeed });
  const changes = configDifferences(full, used).filter(({ name }) => name !== 'scale');
  if (changes.length === 0) return [];
  const width = Math.max(...changes.map(({ name }) => name.length));
  const show = (value: unknown) => (Array.isArray(value) ? value.join(' to ') : String(value));
  return [
    used.scale === 'quick'
      ? 'The quick scale is smaller than the full experiment. It changes these settings:'
      : `Settings that differ from those of preset ${preset}:`,
    ...changes.map(({ name, from, to }) => `  ${name.padEnd(width)}  ${show(to)} instead of ${show(from)}`),
  ];
}
