import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { faults, repair } from '../../../files/test-support/faulty-files.ts';
import { messageOf, temporaryFolder } from '../../test-support/tiny-run.ts';
import { CheckpointStore, MetricsLog, RunFolder, type StepRecord, type TrainerState } from '../index.ts';

vi.mock('../../../files/src/node-module.ts', async (original) => {
  const { withFaultyFiles } = await import('../../../files/test-support/faulty-files.ts');
  return withFaultyFiles(await original());
});

afterEach(repair);

const state = (step: number): TrainerState => ({
  step,
  tensors: { 'model.weight': { dtype: 'F32', shape: [1], data: Float32Array.of(step) } },
});
const about = { cursor: { epoch: 0, step: 0 }, seed: 0, config: {} };

const record = (step: number): StepRecord => ({
  ...{ step, epoch: 0, loss: 1, metrics: {}, learningRate: 1, imagesPerSecond: 1 },
  seconds: { load: 0, prepare: 0, step: 1 },
});

describe('A full disk', () => {
  it('costs no checkpoint that was saved', async () => {
    const folder = join(await temporaryFolder(), 'checkpoints');
    const store = new CheckpointStore(folder);
    for (const step of [1, 2, 3]) await store.save(state(step), about);
    const before = await readdir(folder);
    faults.write = 'ENOSPC';
    expect(await messageOf(store.save(state(4), about), folder)).toMatchInlineSnapshot(
      `"cannot write <folder>/step-00000004.safetensors: the disk is full. Free some space and resume; what was saved before is intact. (ENOSPC)"`,
    );
    expect(await readdir(folder)).toEqual(before);
    expect((await store.newest(() => {})).checkpoint?.state.step).toBe(3);
  });

  it('costs no metrics: half of what was to be written is taken back, and written later', async () => {
    const path = join(await temporaryFolder(), 'metrics.jsonl');
    const log = MetricsLog.create(path);
    await log.append(record(0));
    await log.flush();
    const before = await readFile(path, 'utf8');
    await log.append(record(1));
    faults.write = 'ENOSPC';
    await expect(log.flush()).rejects.toThrow('the disk is full');
    expect(await readFile(path, 'utf8')).toBe(before);
    repair();
    await log.flush();
    expect((await MetricsLog.open(path)).records).toEqual([record(0), record(1)]);
  });

  it('stops a new run before anything is there that looks like one', async () => {
    const folder = await temporaryFolder();
    faults.write = 'ENOSPC';
    await expect(RunFolder.create(join(folder, 'run'), { seed: 1 })).rejects.toThrow('the disk is full');
    repair();
    expect(await readdir(folder)).toEqual([]);
    await RunFolder.create(join(folder, 'run'), { seed: 1 });
  });

  it('stops a new run that fails when its configuration has its name already', async () => {
    const folder = await temporaryFolder();
    faults.syncFolder = 'EIO';
    await expect(RunFolder.create(join(folder, 'run'), { seed: 1 })).rejects.toThrow('(EIO)');
    expect(await readdir(folder)).toEqual([]);
    repair();
    await RunFolder.create(join(folder, 'run'), { seed: 1 });
  });
});
