import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { messageOf, temporaryFolder } from '../test-support/tiny-run.ts';
import { writeFilesAtomically } from './atomic-write.ts';
import { CheckpointStore, MetricsLog, RunFolder, type StepRecord, type TrainerState } from './index.ts';

/** What the file system is to say to the next writes. */
const faults = vi.hoisted(() => ({ write: null as string | null, open: null as string | null }));

vi.mock('./node-module.ts', async (original) => {
  const { nodeModule } = await original<typeof import('./node-module.ts')>();
  const real = nodeModule('node:fs/promises');
  const failure = (code: string): Error => Object.assign(new Error(`${code}: from the test`), { code });
  const faulty = {
    ...real,
    open: async (path: string, flags: string) => {
      if (faults.open && flags !== 'r') throw failure(faults.open);
      const file = await real.open(path, flags);
      // a full disk takes a part and then fails
      const part = (data: string | Uint8Array) => data.slice(0, data.length / 2);
      const { writeFile, appendFile } = file;
      file.writeFile = async (data) => {
        await writeFile.call(file, faults.write ? part(data as string) : data);
        if (faults.write) throw failure(faults.write);
      };
      file.appendFile = async (data) => {
        await appendFile.call(file, faults.write ? part(data as string) : data);
        if (faults.write) throw failure(faults.write);
      };
      return file;
    },
  };
  return {
    nodeModule: (name: Parameters<typeof nodeModule>[0]) => (name === 'node:fs/promises' ? faulty : nodeModule(name)),
  };
});

afterEach(() => {
  faults.write = null;
  faults.open = null;
});

const state = (step: number): TrainerState => ({
  step,
  tensors: { 'model.weight': { dtype: 'F32', shape: [1], data: Float32Array.of(step) } },
});
const about = { cursor: { epoch: 0, step: 0 }, seed: 0, config: {} };

const record = (step: number): StepRecord => ({
  ...{ step, epoch: 0, loss: 1, metrics: {}, learningRate: 1, imagesPerSecond: 1 },
  seconds: { load: 0, prepare: 0, step: 1 },
});

describe('writeFilesAtomically', () => {
  it('replaces files and leaves nothing else', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'a'), 'old');
    await writeFilesAtomically([
      { path: join(folder, 'a'), data: 'new' },
      { path: join(folder, 'b'), data: Uint8Array.of(1, 2) },
    ]);
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('new');
    expect((await readdir(folder)).sort()).toEqual(['a', 'b']);
  });

  it.each(['ENOSPC', 'EDQUOT'])('leaves all as it was on %s', async (code) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'a'), 'old');
    faults.write = code;
    const writing = writeFilesAtomically([
      { path: join(folder, 'a'), data: 'new' },
      { path: join(folder, 'b'), data: 'new' },
    ]);
    await expect(writing).rejects.toMatchObject({ cause: { code } });
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['a']);
  });

  it('says what is wrong and what to do', async () => {
    const folder = await temporaryFolder();
    const of = (path: string): Promise<string> =>
      messageOf(writeFilesAtomically([{ path: join(folder, path), data: 'text' }]), folder);
    await mkdir(join(folder, 'sub'));
    expect(await of('sub')).toMatchInlineSnapshot(
      `"cannot write <folder>/sub: it is a folder. Move it away or choose another path. (EISDIR)"`,
    );
    await writeFile(join(folder, 'file'), '');
    expect(await of('file/a')).toMatchInlineSnapshot(
      `"cannot write <folder>/file/a: a part of the path is a file. Choose another folder. (ENOTDIR)"`,
    );
    expect(await of('nowhere/a')).toMatchInlineSnapshot(
      `"cannot write <folder>/nowhere/a: it is not there. Check the path. (ENOENT)"`,
    );
    faults.write = 'ENOSPC';
    expect(await of('a')).toMatchInlineSnapshot(
      `"cannot write <folder>/a: the disk is full. Free some space and resume; what was saved before is intact. (ENOSPC)"`,
    );
    faults.open = 'EACCES';
    expect(await of('a')).toMatchInlineSnapshot(
      `"cannot write <folder>/a: it may not be written by this user. Change its permissions or choose another folder. (EACCES)"`,
    );
    faults.open = 'EROFS';
    expect(await of('a')).toMatchInlineSnapshot(
      `"cannot write <folder>/a: its file system is read-only. Choose another folder. (EROFS)"`,
    );
    faults.open = 'EWHATEVER';
    expect(await of('a')).toMatchInlineSnapshot(`"cannot write <folder>/a: EWHATEVER: from the test. (EWHATEVER)"`);
  });
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
    faults.write = null;
    await log.flush();
    expect((await MetricsLog.open(path)).records).toEqual([record(0), record(1)]);
  });

  it('stops a new run before anything is there that looks like one', async () => {
    const folder = await temporaryFolder();
    faults.write = 'ENOSPC';
    await expect(RunFolder.create(join(folder, 'run'), { seed: 1 })).rejects.toThrow('the disk is full');
    faults.write = null;
    await RunFolder.create(join(folder, 'run'), { seed: 1 });
  });
});
