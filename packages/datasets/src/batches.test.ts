import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type Batch, type BatchesOptions, batches, stepsPerEpoch } from './batches.ts';
import { epochOrder } from './epoch-order.ts';
import type { ImageDataset } from './image-dataset.ts';

/** Ten images of one pixel, each its own index; `failAt` makes the n-th read fail. */
function countedDataset(failAt = -1): ImageDataset & { reads: number; running: number } {
  return {
    name: 'generated',
    split: 'train',
    length: 10,
    imageShape: [1, 1, 3],
    classNames: ['even', 'odd'],
    labels: Int32Array.from({ length: 10 }, (_, i) => i % 2),
    skipped: [],
    reads: 0,
    running: 0,
    async read(indices) {
      const mine = this.reads++;
      this.running++;
      await setTimeout(2);
      this.running--;
      if (mine === failAt) throw new Error('the disk is gone');
      return Uint8Array.from(Array.from(indices).flatMap((index) => [index, index, index]));
    },
    async close() {},
  };
}

async function collect(dataset: ImageDataset, options: BatchesOptions): Promise<Batch[]> {
  const all: Batch[] = [];
  for await (const batch of batches(dataset, options)) all.push(batch);
  return all;
}

describe('batches', () => {
  const options = { batchSize: 4, seed: 5, epoch: 2 };

  it('follows the order of the epoch, with images and labels of the indices', async () => {
    const all = await collect(countedDataset(), options);
    const order = epochOrder({ length: 10, seed: 5, epoch: 2 });
    expect(all.map(({ step, epoch }) => [epoch, step])).toEqual([
      [2, 0],
      [2, 1],
    ]);
    for (const { step, indices, images, labels } of all) {
      expect([...indices]).toEqual([...order.slice(step * 4, step * 4 + 4)]);
      expect([...images]).toEqual([...indices].flatMap((index) => [index, index, index]));
      expect([...labels]).toEqual([...indices].map((index) => index % 2));
    }
  });

  it('reads no pixels where none are wanted', async () => {
    const dataset = countedDataset();
    const [full, without] = [
      await collect(dataset, options),
      await collect(dataset, { ...options, readImages: false }),
    ];
    expect(dataset.reads).toBe(full.length);
    expect(without).toEqual(full.map((batch) => ({ ...batch, images: new Uint8Array(0) })));
  });

  it('keeps the last batch on request', async () => {
    const all = await collect(countedDataset(), { ...options, dropLast: false });
    expect(all.map(({ indices }) => indices.length)).toEqual([4, 4, 2]);
    expect(new Set(all.flatMap(({ indices }) => [...indices])).size).toBe(10);
    expect([stepsPerEpoch(10, 4), stepsPerEpoch(10, 4, false)]).toEqual([2, 3]);
  });

  it('resumes where it is told to', async () => {
    const all = await collect(countedDataset(), options);
    expect(await collect(countedDataset(), { ...options, startStep: 1 })).toEqual(all.slice(1));
    expect(await collect(countedDataset(), { ...options, startStep: 2 })).toEqual([]);
  });

  it('reads one batch ahead and no more', async () => {
    const dataset = countedDataset();
    const running = batches(dataset, { ...options, batchSize: 2 });
    await running.next();
    await setTimeout(20);
    expect(dataset.reads).toBe(2);
    await running.return();
    expect(dataset.reads).toBe(2);
  });

  it('waits for the read that is under way when the loop is left', async () => {
    const dataset = countedDataset();
    for await (const batch of batches(dataset, options)) {
      expect(batch.step).toBe(0);
      break;
    }
    expect(dataset.running).toBe(0);
  });

  it('passes a failed read on at its own step, and not at all after an early end', async () => {
    const running = batches(countedDataset(1), options);
    expect((await running.next()).value?.step).toBe(0);
    await setTimeout(20); // the read ahead has failed by now: an unhandled rejection would end the test run
    await expect(running.next()).rejects.toThrow('the disk is gone');
    const left = batches(countedDataset(1), options);
    await left.next();
    await left.return();
  });

  it('refuses what does not fit', async () => {
    const run = (changed: Partial<BatchesOptions>) => collect(countedDataset(), { ...options, ...changed });
    await expect(run({ batchSize: 11 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: batches: batchSize must be an integer in [1, 10], got 11. The data set has 10 images.]`,
    );
    await expect(run({ batchSize: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: batches: batchSize must be an integer in [1, 10], got 0. The data set has 10 images.]`,
    );
    await expect(run({ startStep: 3 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: batches: startStep must be an integer in [0, 2], got 3. The epoch has 2 steps.]`,
    );
    expect((await run({ batchSize: 11, dropLast: false })).length).toBe(1);
  });
});
