import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as tf from '@tensorflow/tfjs-core';
import { generatedImages } from '@tfjs-ssl/datasets';
import { startEngine } from '@tfjs-ssl/engine';
import { imageFeed } from '@tfjs-ssl/feed';
import { expect, it } from 'vitest';
import { buildChain, buildModel, buildTrainer } from './blocks.ts';
import { resolveSettings } from './settings/resolve.ts';

// garbage that is not collected yet is no leak
setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

it('keeps tensors and memory flat over 200 steps', async () => {
  await startEngine('auto');
  const settings = resolveSettings({ batchSize: 4, 'encoder.width': 8 });
  const [chain, model] = [buildChain(settings), buildModel(settings)];
  const data = generatedImages({ classes: 2, imagesPerClass: 40, size: settings.imageSize });
  const feed = await imageFeed(data, { chain, batchSize: settings.batchSize });
  const trainer = buildTrainer(settings, model, feed);
  const seen: Array<{ tensors: number; bytes: number; held: number }> = [];
  const events = trainer.fit({
    ...feed,
    epochs: 14,
    checkTensors: true,
  });
  for await (const event of events) {
    if (event.type !== 'step' || (event.step !== 79 && event.step !== 279)) continue;
    collectGarbage();
    const { heapUsed, external } = process.memoryUsage();
    const { numTensors: tensors, numBytes: bytes } = tf.memory();
    seen.push({ tensors, bytes, held: heapUsed + external });
  }
  const [before, after] = seen as [(typeof seen)[0], (typeof seen)[0]];
  expect({ tensors: after.tensors, bytes: after.bytes }).toEqual({ tensors: before.tensors, bytes: before.bytes });
  // 200 leaked batches would be over 35 MiB, 200 copies of the weights over 140
  expect(after.held - before.held).toBeLessThan(16 * 2 ** 20);
});
