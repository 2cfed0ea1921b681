import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseOptions } from '../../../examples/simclr-tiny-imagenet/dist/options.js';
import { savedRun } from '../../../examples/simclr-tiny-imagenet/dist/run.js';
import { resolveSettings } from '../../../examples/simclr-tiny-imagenet/dist/settings/resolve.js';
import { isArgumentError } from '../../../packages/checks/dist/index.js';
import { RunFolder } from '../../../packages/trainer/dist/index.js';
import { mutate } from '../mutate.mjs';
import { mutateJson } from '../mutate-json.mjs';
import { randomNumbers } from '../random.mjs';

const folder = mkdtempSync(join(tmpdir(), 'tfjs-ssl-fuzz-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const config = {
  ...resolveSettings(),
  images: { data: 'generated', train: 5000, val: 500 },
  environment: { engine: 'simd' },
  options: { classes: 10 },
};
const given = {
  batchSize: 32,
  epochs: 2,
  temperature: 0.1,
  optimizer: { learningRate: 0.001 },
  head: { hiddenSizes: [64, 64] },
  engine: 'simd',
  data: 'data',
  preset: 'paper',
};

/**
 * A third each: a file for `--config`, the `config.json` of a run, the same for the example's `--resume`. The first byte says which.
 * Half of each are JSON still.
 */
export function* damaged(count, seed) {
  const random = randomNumbers(seed);
  for (let i = 0; i < count; i++) {
    const reader = random(3);
    const whole = reader === 0 ? given : config;
    const bytes = random(2)
      ? Buffer.from(JSON.stringify(mutateJson(whole, random)) ?? '')
      : mutate([Buffer.from(JSON.stringify(whole, null, 2))], random);
    yield Buffer.concat([Buffer.from([reader]), bytes]);
  }
}

/** The options of a file, or of a run to go on with. @param {Buffer} bytes */
export async function read(bytes) {
  const run = join(folder, 'run');
  mkdirSync(run, { recursive: true });
  const path = join(run, 'config.json');
  writeFileSync(path, bytes.subarray(1));
  if (bytes[0] === 0) return digest(parseOptions(['--config', path]));
  if (bytes[0] === 1) return digest((await RunFolder.resume(run, config)).config);
  return digest(await savedRun(run, parseOptions(['--resume', run])));
}

const digest = (value) => createHash('sha256').update(JSON.stringify(value)).digest('hex');

/** @param {Error} error */
export function isOurs(error) {
  if (error.name === 'UsageError') return error.message.length < 10_000;
  if (isArgumentError(error)) return error.fn === 'RunFolder';
  return error.constructor === Error && /^(RunFolder: |.*config\.json cannot be read: )/.test(error.message);
}
