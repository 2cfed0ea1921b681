import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describeEngines } from '@tfjs-ssl/testing';
import { expect, it } from 'vitest';
import { collect, temporaryFolder, tinyFit, tinyTrainer } from '../../../test-support/tiny-run.ts';
import { RunFolder, type StepRecord } from '../../index.ts';

/** A Python that has TensorBoard's package. */
const python = process.env.TENSORBOARD_PYTHON;
const script = fileURLToPath(new URL('../../../test-support/read-events.py', import.meta.url));

function readByTensorBoard(folder: string): Record<string, Array<[step: number, value: number]>> {
  return JSON.parse(execFileSync(python as string, [script, folder], { encoding: 'utf8' }));
}

const points = (records: readonly StepRecord[], value: (record: StepRecord) => number) =>
  records.map((record) => [record.step, Math.fround(value(record))]);

describeEngines("TensorBoard's own reader", () => {
  it('finds each step of a resumed run once', async ({ skip }) => {
    skip(!python, "TENSORBOARD_PYTHON names no Python with TensorBoard's package");
    const path = join(await temporaryFolder(), 'run');
    const config = { seed: 1 };
    const first = await RunFolder.create(path, config);
    await first.addScalars(0, { 'evaluation/knn': 0.25 });
    for await (const event of tinyTrainer().fit({ ...tinyFit, epochs: 2, run: first, checkpointEvery: 2 })) {
      if (event.type === 'step' && event.step === 4) break; // steps 0 to 4 are logged, the checkpoint has two less
    }
    const run = await RunFolder.resume(path, config);
    const trainer = tinyTrainer();
    expect((await run.restore(trainer)).step).toBe(4);
    await collect(trainer.fit({ ...tinyFit, epochs: 3, run }));
    await run.addScalars(9, { 'evaluation/knn': 0.75 });

    const metrics = Object.keys(run.records[0]?.metrics ?? {}).map((name) => [
      `train/${name}`,
      points(run.records, ({ metrics }) => metrics[name] as number),
    ]);
    expect(readByTensorBoard(path)).toEqual({
      'train/loss': points(run.records, ({ loss }) => loss),
      ...Object.fromEntries(metrics),
      'train/learning_rate': points(run.records, ({ learningRate }) => learningRate),
      'speed/images_per_second': points(run.records, ({ imagesPerSecond }) => imagesPerSecond),
      'evaluation/knn': [
        [0, 0.25],
        [9, 0.75],
      ],
    });
    expect(run.records.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });
});
