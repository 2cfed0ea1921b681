import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { call, folder, json, small, useFolder } from '../test-support/call-program.ts';

useFolder();

it('--fine-tune compares with random weights, keeps the figures, and leaves the weights of the run alone', async () => {
  const run = join(folder, 'run');
  const settings = ['--set', 'imageSize=32', '--set', 'encoder.width=2', '--epochs', '1'];
  await call([...small, ...settings, '--engine', 'simd', '--out', run]);
  const model = readFileSync(join(run, 'model.safetensors'));
  const tensors = tf.memory().numTensors;

  const { code, stdout, stderr } = await call([
    '--evaluate',
    run,
    '--fine-tune',
    '0.5',
    '--fine-tune-seeds',
    '2',
    '--fine-tune-epochs',
    '3',
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^Fine-tuned with 50% of the labels \(8 images\), seed 1: top-1 \d+\.\d%, from scratch \d+/m);
  expect(stdout).toMatch(/^Fine-tuned with 50% of the labels, mean of 2: .*; gain [+-]\d+\.\d ± \d+\.\d points$/m);
  const { fineTuning, evaluation } = json(join(run, 'summary.json'));
  expect(fineTuning).toMatchObject([{ fraction: 0.5, images: 8, epochs: 3 }]);
  const [{ pretrained, scratch, gain }] = fineTuning;
  expect(gain.values).toEqual([0, 1].map((i) => pretrained.top1.values[i] - scratch.top1.values[i]));
  expect(readFileSync(join(run, 'report.html'), 'utf8')).toContain('Fine-tuned, 50% of labels');
  const events = readdirSync(join(run)).filter((name) => name.startsWith('events.'));
  const texts = events.map((name) => readFileSync(join(run, name), 'latin1'));
  expect(texts.some((text) => text.includes('fine-tuning/0.5/pretrained'))).toBe(true);
  expect(readFileSync(join(run, 'model.safetensors')).equals(model)).toBe(true);
  expect(tf.memory().numTensors).toBe(tensors);

  await call(['--evaluate', run, '--fine-tune', '0.125', '--fine-tune-seeds', '1', '--fine-tune-epochs', '1']);
  const after = json(join(run, 'summary.json'));
  expect(
    after.fineTuning.map(({ fraction, images }: { fraction: number; images: number }) => [fraction, images]),
  ).toEqual([
    [0.125, 2],
    [0.5, 8],
  ]);
  expect(after.fineTuning[1]).toEqual(fineTuning[0]);
  expect(after.evaluation).toEqual(evaluation);
});
