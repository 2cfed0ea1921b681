import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@tfjs-ssl/testing';
import { MetricsLog, TensorBoardLog } from '@tfjs-ssl/trainer';
import { describe, expect, it } from 'vitest';
import { stepOfEvent } from '../../packages/trainer/src/run/tensorboard/event-message.ts';
import { readRecords } from '../../packages/trainer/src/run/tensorboard/record-frames.ts';
import { rounds } from './rounds.ts';

const steps = [...Array(100).keys()];

/** Adds every step while others are added and flushed; gives way to what is under way at other places each round. */
async function crowd(round: number, add: (step: number) => Promise<void>, flush: () => Promise<void>): Promise<void> {
  const running: Array<Promise<void>> = [];
  for (const step of steps) {
    running.push(add(step));
    if ((step + round) % 3 === 0) running.push(flush(), flush());
    if ((step + round) % 7 === 0) await new Promise(setImmediate);
  }
  await Promise.all([...running, flush(), flush()]);
}

describe('Flushes at once', () => {
  it(`write each record of a metrics log once, ${rounds} times`, async () => {
    const folder = await temporaryFolder();
    for (let round = 0; round < rounds; round++) {
      const path = join(folder, `${round}.jsonl`);
      const log = MetricsLog.create(path);
      const seconds = { load: 0, prepare: 0, step: 1 };
      const add = (step: number): Promise<void> =>
        log.append({ step, epoch: 0, loss: 1, metrics: {}, learningRate: 1, seconds, imagesPerSecond: 1 });
      await crowd(round, add, () => log.flush());
      const lines = (await readFile(path, 'utf8')).split('\n');
      expect(lines.pop()).toBe('');
      expect(lines.map((line) => JSON.parse(line).step)).toEqual(steps);
    }
  });

  it(`write each event of a TensorBoard log once, ${rounds} times`, async () => {
    const parent = await temporaryFolder();
    for (let round = 0; round < rounds; round++) {
      const folder = join(parent, `${round}`);
      const log = new TensorBoardLog(folder);
      await crowd(
        round,
        (step) => log.add(step, { loss: step }),
        () => log.flush(),
      );
      const names = await readdir(folder);
      expect(names).toHaveLength(1);
      const bytes = await readFile(join(folder, names[0] as string));
      const { records, end } = readRecords(bytes);
      expect(end).toBe(bytes.length);
      expect(records.map(({ content }) => stepOfEvent(content))).toEqual([null, ...steps]);
    }
  });
});
