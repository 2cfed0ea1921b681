import { createHash } from 'node:crypto';
import { generatedImages } from '@tfjs-ssl/datasets';
import { simdEngine } from '@tfjs-ssl/engine-simd';
import { imageFeed } from '@tfjs-ssl/feed';
import { disposeVariables } from '@tfjs-ssl/testing';
import { afterAll, expect, it } from 'vitest';
import { buildChain, buildModel, buildTrainer } from './blocks.ts';
import { resolveSettings } from './settings/resolve.ts';

afterAll(() => simdEngine.stop());

/** A hash of all weights and running statistics after three steps on the paper's views. */
async function hashOfTraining(): Promise<string> {
  const settings = resolveSettings({ batchSize: 6, 'encoder.width': 8 });
  const [chain, model] = [buildChain(settings), buildModel(settings)];
  const data = generatedImages({ classes: 3, imagesPerClass: 6, size: settings.imageSize });
  const feed = await imageFeed(data, { chain, batchSize: settings.batchSize });
  const trainer = buildTrainer(settings, model, feed);
  const events = trainer.fit({
    ...feed,
    epochs: 1,
  });
  let steps = 0;
  for await (const event of events) if (event.type === 'step') steps++;
  expect(steps).toBe(3);
  const hash = createHash('sha256');
  for (const variable of Object.values({ ...model.parameters, ...model.buffers })) {
    hash.update((await variable.data<'float32'>()).slice());
  }
  disposeVariables();
  return hash.digest('hex');
}

it('gives the same weights, bit for bit, with 1, 2 and 3 threads and on memory that is not shared', async () => {
  const hashes = new Set<string>();
  for (const options of [{ threads: 1 }, { threads: 2 }, { threads: 3 }, { sharedMemory: false }]) {
    await simdEngine.stop();
    await simdEngine.start(options);
    hashes.add(await hashOfTraining());
  }
  expect(hashes.size).toBe(1);
});
