import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeSafetensors } from '@tfjs-ssl/safetensors';
import { describe, expect, it } from 'vitest';
import { call, folder, json, metrics, small, useFolder } from '../test-support/call-program.ts';

useFolder();

const efficientnet = [...small, '--set', 'encoder.name=efficientnet-b0', '--set', 'encoder.width=8'];
const constant = ['--set', 'schedule.name=constant'];
const model = (run: string) => readFileSync(join(run, 'model.safetensors'));

describe('a run with an EfficientNet', () => {
  it('names it, fits the head to its features, and is evaluated from its file', async () => {
    const run = join(folder, 'run');
    const { code, stdout, stderr } = await call([...efficientnet, '--epochs', '1', '--out', run]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('SimCLR with efficientnet-b0');
    // the last stage has 320 / 8 = 40 channels, and four times as many features
    expect(json(join(run, 'summary.json')).parameters.head).toBe(160 * 256 + 256 + 256 * 128 + 128);
    const { metadata } = decodeSafetensors(model(run));
    expect(metadata).toMatchObject({ architecture: 'efficientnet_b0', width: '0.125' });
    expect(await call(['--evaluate', run])).toMatchObject({ code: 0, stderr: '' });
    const started = await call([
      ...efficientnet,
      '--epochs',
      '1',
      '--init',
      join(run, 'model.safetensors'),
      '--dry-run',
    ]);
    expect(started).toMatchObject({ code: 0, stderr: '' });
    const narrower = await call([
      ...efficientnet,
      '--set',
      'encoder.width=16',
      '--init',
      join(run, 'model.safetensors'),
      '--dry-run',
    ]);
    expect(narrower.stderr).toMatchInlineSnapshot(`
      "--init FOLDER/run/model.safetensors holds another encoder than the settings: got encoder.width 16. To take its encoder: --set encoder.width=8
      "
    `);
  });

  it('goes on with the rows that an unbroken one leaves out', async () => {
    const [run, whole] = [join(folder, 'run'), join(folder, 'whole')];
    await call([...efficientnet, ...constant, '--epochs', '1', '--out', run]);
    expect(await call(['--resume', run, '--epochs', '2'])).toMatchObject({ code: 0, stderr: '' });
    await call([...efficientnet, ...constant, '--epochs', '2', '--out', whole]);
    expect(metrics(run)).toEqual(metrics(whole));
    expect(model(run).equals(model(whole))).toBe(true);
  });
});
