import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { namedWeights } from '@tfjs-ssl/resnet';
import { CheckpointStore, configDifferences, type TrainerState } from '@tfjs-ssl/trainer';
import type { Model } from './blocks.ts';
import type { Settings } from './settings/table.ts';
import { encoderOfFile, settingsOfEncoder } from './tables/encoders.ts';
import { UsageError } from './usage-error.ts';

/** The weights that a run started from. */
export interface Initial {
  /** The run folder or the file, absolute. */
  readonly path: string;
  /** Of the file that was read, in hexadecimal. */
  readonly sha256: string;
}

type Shapes = Pick<Settings, 'encoder' | 'head'>;

/**
 * Loads weights into a new model: encoder and, from a run with the same head, the head too.
 *
 * @param path - a run folder, whose newest checkpoint is taken (or, without one, its model), or a safetensors file with an encoder.
 * @param readSettings - reads the settings of a run.
 * @returns which weights these are, and a line about them.
 * @throws UsageError if there are none, or the encoder is another one than the settings say.
 */
export async function loadInitial(
  path: string,
  model: Model,
  settings: Settings,
  readSettings: (folder: string) => Promise<Settings>,
): Promise<{ readonly initial: Initial; readonly line: string }> {
  if (!existsSync(path)) {
    throw new UsageError(`--init ${path}: there is nothing. Name the folder of a run, or a safetensors file.`);
  }
  if (!statSync(path).isDirectory()) return fromFile(path, path, model, settings);
  const saved = await readSettings(path);
  checkEncoder(path, saved.encoder, settings);
  const { checkpoint } = await new CheckpointStore(join(path, 'checkpoints')).newest(() => {});
  if (checkpoint === null) {
    const file = join(path, 'model.safetensors');
    if (existsSync(file)) return fromFile(path, file, model, settings);
    throw new UsageError(`--init ${path}: this run has no checkpoint yet. Let it train, or name another run.`);
  }
  const takesHead = configDifferences(saved.head, settings.head).length === 0;
  assign(checkpoint.state, model, takesHead ? ['encoder', 'head'] : ['encoder']);
  const from = `step ${checkpoint.state.step} of ${path}`;
  return {
    initial: { path: resolve(path), sha256: checkpoint.manifest.tensors.sha256 },
    line: takesHead
      ? `Starting from the encoder and the head of ${from}`
      : `Starting from the encoder of ${from}; the head is new, as its settings differ`,
  };
}

async function fromFile(path: string, file: string, { encoder }: Model, settings: Shapes) {
  const loaded = await encoderOfFile(file);
  try {
    checkEncoder(path, settingsOfEncoder(loaded), settings);
    const source = namedWeights(loaded);
    const from = { ...source.parameters, ...source.buffers };
    const { parameters, buffers } = namedWeights(encoder);
    for (const [weight, variable] of Object.entries({ ...parameters, ...buffers }))
      variable.assign(from[weight] as tf.Variable);
  } finally {
    loaded.dispose();
  }
  const sha256 = createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
  return { initial: { path: resolve(path), sha256 }, line: `Starting from the encoder in ${file}; the head is new` };
}

function checkEncoder(path: string, found: object, { encoder }: Shapes): void {
  const differences = configDifferences(encoder, found);
  if (differences.length === 0) return;
  const fits = differences.map(({ name, to }) => `--set encoder.${name}=${to}`);
  const got = differences.map(({ name, from }) => `encoder.${name} ${from}`);
  throw new UsageError(
    `--init ${path} holds another encoder than the settings: got ${got.join(', ')}. To take its encoder: ${fits.join(' ')}`,
  );
}

/** Checkpoints hold parameters and buffers in TensorFlow.js's layouts, as `model.encoder.conv1.weight`. */
function assign({ tensors }: TrainerState, { parameters, buffers }: Model, parts: readonly string[]): void {
  for (const [name, variable] of Object.entries({ ...parameters, ...buffers })) {
    if (!parts.includes(name.split('.', 1)[0] as string)) continue;
    const { data, shape } = tensors[`model.${name}`] as TrainerState['tensors'][string];
    tf.tidy(() => variable.assign(tf.tensor(data.slice() as Float32Array, [...shape], 'float32')));
  }
}
