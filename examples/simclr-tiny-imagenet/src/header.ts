import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import type { EngineInUse } from '@tfjs-ssl/engine';
import { configDifferences } from '@tfjs-ssl/trainer';
import type { Model } from './blocks.ts';
import type { Data } from './data.ts';
import type { Settings } from './settings.ts';

const thousands = (n: number): string => n.toLocaleString('en');

/** Parameters of a two-layer head on 512 features: what the paper and its baseline have at full width. */
const headParameters = (hidden: number): number => 512 * hidden + hidden + hidden * 128 + 128;

/** Version of this library. */
export function libraryVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}

/** Versions of everything that decides the numbers, for people and for the run's config. */
export function versions(engine: EngineInUse): Record<string, string> {
  return {
    'tfjs-ssl': libraryVersion(),
    'TensorFlow.js': tf.version_core,
    Node: process.versions.node,
    engine: engine.version,
  };
}

/** How many times as fast the engine `simd` trains on Node 24 as on Node 20: the step of `bench train-step`. */
const NEWER_NODE = 1.6;

/** What a newer Node.js would bring, where it is much: nothing in continuous integration, where nobody chooses one. */
export function nodeAdvice(engine: string, node: string, environment: NodeJS.ProcessEnv): string[] {
  const inIntegration = environment.CI !== undefined && environment.CI !== '' && environment.CI !== 'false';
  if (engine !== 'simd' || inIntegration || Number(node.split('.')[0]) >= 22) return [];
  return [`Node 24 computes about ${NEWER_NODE} times as fast on this engine.`];
}

/** The lines that open a run: what computes, what is trained, on what, and for how long. */
export function headerLines(run: {
  readonly settings: Settings;
  readonly engine: EngineInUse;
  readonly data: Data;
  readonly model: Model;
  readonly stepsPerEpoch: number;
  /** Run folder; null where nothing is written. */
  readonly folder: string | null;
}): string[] {
  const { settings, engine, data, model, stepsPerEpoch, folder } = run;
  const { train, val } = data;
  const [height, width] = train.imageShape;
  const count = (names: string) =>
    Object.entries(model.parameters)
      .filter(([name]) => name.startsWith(names))
      .reduce((sum, [, variable]) => sum + variable.size, 0);
  const line = (label: string, text: string) => `  ${label.padEnd(12)}${text}`;
  return [
    `SimCLR with ResNet-18: preset ${settings.preset}, scale ${settings.scale}, precision ${settings.precision}`,
    line('engine', `${engine.name}: ${engine.device}`),
    ...engine.passedOver.map(({ name, reason }) => line('', `not ${name}: ${reason}`)),
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
      `${train.classNames.length} classes, ${thousands(train.length)} images of ${height}x${width} to train on, ${thousands(val.length)} to classify`,
    ),
    line('seed', `${settings.seed}`),
    line('parameters', `encoder ${thousands(count('encoder.'))}, head ${thousands(count('head.'))}`),
    line(
      '',
      `(heads at full width: the slim one ${thousands(headParameters(256))}, the baseline's ${thousands(headParameters(512))})`,
    ),
    line(
      'steps',
      `${thousands(stepsPerEpoch)} per epoch, ${settings.epochs} ${settings.epochs === 1 ? 'epoch' : 'epochs'}, ${thousands(stepsPerEpoch * settings.epochs)} in all; ${settings.batchSize} images and ${2 * settings.batchSize} views each`,
    ),
    ...(folder === null ? [] : [line('run folder', folder)]),
  ];
}

/** What the quick scale sets differently from the full one, a line each; nothing for the full one. */
export function quickLines(full: Settings, used: Settings): string[] {
  if (used.scale === 'full') return [];
  const changes = configDifferences(full, used).filter(({ name }) => name !== 'scale');
  const width = Math.max(...changes.map(({ name }) => name.length));
  const show = (value: unknown) => (Array.isArray(value) ? value.join(' to ') : String(value));
  return [
    'The quick scale is not the full experiment. It differs in:',
    ...changes.map(({ name, from, to }) => `  ${name.padEnd(width)}  ${show(to)} instead of ${show(from)}`),
  ];
}
