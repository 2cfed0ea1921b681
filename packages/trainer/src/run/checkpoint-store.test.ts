import { copyFile, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryName } from '@tfjs-ssl/files';
import { describe, expect, it } from 'vitest';
import { messageOf, temporaryFolder } from '../../test-support/tiny-run.ts';
import { type Checkpoint, CheckpointStore, type TrainerState } from '../index.ts';

const stateOf = (step: number): TrainerState => ({
  step,
  tensors: { 'model.weight': { dtype: 'F32', shape: [2], data: Float32Array.of(step, 0.1) } },
});
const about = { cursor: { epoch: 1, step: 2 }, seed: 7, config: { seed: 7, learningRate: 1e-3 } };

async function storeOf(steps: number[], options = {}): Promise<{ folder: string; store: CheckpointStore }> {
  const folder = join(await temporaryFolder(), 'checkpoints');
  const store = new CheckpointStore(folder, options);
  for (const step of steps) await store.save(stateOf(step), about);
  return { folder, store };
}

/** The step of the checkpoint that is used, and those that were refused, with their reasons. */
async function newest(store: CheckpointStore, use: (checkpoint: Checkpoint) => void = () => {}): Promise<unknown[]> {
  const { checkpoint, rejected } = await store.newest(use);
  const reasons = rejected.map(({ path, reason }) => `${path.slice(store.folder.length + 1)}: ${reason}`);
  return [checkpoint?.state.step ?? null, ...reasons];
}

/** The temporary name of a file whose writer was killed. */
const abandoned = (path: string): string =>
  temporaryName(path).replace(/-\d+-(\d+)-\d+-[0-9a-f]+\.tmp$/, '-999999999-$1-1-00000000.tmp');

async function flipBit(path: string, at: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[at < 0 ? bytes.length + at : at]! ^= 1;
  await writeFile(path, bytes);
}

describe('CheckpointStore', () => {
  it('gives back what it was given', async () => {
    const { store, folder } = await storeOf([4]);
    const { checkpoint, rejected } = await store.newest(() => {});
    expect(rejected).toEqual([]);
    expect(checkpoint?.path).toBe(join(folder, 'step-00000004.safetensors'));
    expect(checkpoint?.state.tensors['model.weight']).toEqual(stateOf(4).tensors['model.weight']);
    expect(checkpoint?.manifest).toMatchObject({ step: 4, ...about });
  });

  it('keeps the last ones', async () => {
    const { folder } = await storeOf([1, 2, 3, 9, 10]);
    expect((await readdir(folder)).sort()).toEqual(
      [3, 9, 10].flatMap((step) =>
        ['json', 'safetensors'].map((end) => `step-${String(step).padStart(8, '0')}.${end}`),
      ),
    );
    expect(await readdir((await storeOf([1, 2], { keep: 1 })).folder)).toHaveLength(2);
  });

  it('has none before the first, and leaves other files alone', async () => {
    const { store, folder } = await storeOf([]);
    expect(await newest(store)).toEqual([null]);
    await store.save(stateOf(1), about);
    await writeFile(join(folder, 'notes.txt'), 'mine');
    for (const step of [2, 3, 4, 5]) await store.save(stateOf(step), about);
    expect(await readFile(join(folder, 'notes.txt'), 'utf8')).toBe('mine');
  });

  const damages: Array<[string, (base: string) => Promise<void>, string]> = [
    ['tensors cut short', (base) => truncate(`${base}.safetensors`, 100), 'it has 100 bytes instead of 128'],
    ['empty tensors', (base) => truncate(`${base}.safetensors`, 0), 'it has 0 bytes instead of 128'],
    [
      'a flipped bit in the data',
      (base) => flipBit(`${base}.safetensors`, -1),
      'its data are damaged: the SHA-256 does not match',
    ],
    [
      'a flipped bit in the header',
      (base) => flipBit(`${base}.safetensors`, 20),
      'its data are damaged: the SHA-256 does not match',
    ],
    ['no tensors', (base) => rm(`${base}.safetensors`), 'its safetensors file is missing'],
    ['no JSON', (base) => rm(`${base}.json`), 'its JSON is missing'],
    ['JSON cut short', (base) => truncate(`${base}.json`, 50), 'its JSON is damaged: '],
    ['empty JSON', (base) => truncate(`${base}.json`, 0), 'its JSON is damaged: '],
    [
      'a flipped bit in a number of the JSON',
      async (base) => {
        await writeFile(`${base}.json`, (await readFile(`${base}.json`, 'utf8')).replace('0.001', '0.003'));
      },
      'its JSON is damaged: the checksum does not match',
    ],
    ['JSON of something else', (base) => writeFile(`${base}.json`, 'null'), 'its JSON is not the JSON of a checkpoint'],
    [
      'the JSON of another step',
      (base) => copyFile(base.replace(/9$/, '8.json'), `${base}.json`),
      'its JSON belongs to step 8',
    ],
    [
      'JSON of a later version',
      async (base) => {
        await writeFile(
          `${base}.json`,
          (await readFile(`${base}.json`, 'utf8')).replace('"version": 1', '"version": 2'),
        );
      },
      'its format is version 2, and this trainer reads version 1',
    ],
  ];
  it.each(damages)('refuses %s and takes the one before', async (_, damage, reason) => {
    const { store, folder } = await storeOf([7, 8, 9]);
    await damage(join(folder, 'step-00000009'));
    const [step, rejected, ...more] = await newest(store);
    expect(step).toBe(8);
    expect(rejected).toContain(`step-00000009.safetensors: ${reason}`);
    expect(more).toEqual([]);
  });

  it('refuses what the trainer refuses', async () => {
    const { store } = await storeOf([7, 8, 9]);
    const use = ({ state }: Checkpoint): void => {
      if (state.step > 7) throw new RangeError(`not ${state.step}`);
    };
    expect(await newest(store, use)).toEqual([
      7,
      'step-00000009.safetensors: not 9',
      'step-00000008.safetensors: not 8',
    ]);
  });

  it('says that none can be used, and why', async () => {
    const { store, folder } = await storeOf([8, 9]);
    await truncate(join(folder, 'step-00000009.safetensors'), 10);
    await rm(join(folder, 'step-00000008.json'));
    expect(
      await messageOf(
        store.newest(() => {}),
        folder,
      ),
    ).toMatchInlineSnapshot(`
      "CheckpointStore: none of the checkpoints can be used. Start a new run in another folder.
        <folder>/step-00000009.safetensors: it has 10 bytes instead of 128
        <folder>/step-00000008.safetensors: its JSON is missing"
    `);
  });

  const kills: Array<[string, (base: string) => Promise<void>]> = [
    [
      'while the tensors were written',
      async (base) => {
        await rm(`${base}.json`);
        await rename(`${base}.safetensors`, abandoned(`${base}.safetensors`));
        await truncate(abandoned(`${base}.safetensors`), 30);
      },
    ],
    [
      'before the first rename',
      async (base) => {
        await rename(`${base}.safetensors`, abandoned(`${base}.safetensors`));
        await rename(`${base}.json`, abandoned(`${base}.json`));
      },
    ],
    ['between the renames', (base) => rename(`${base}.json`, abandoned(`${base}.json`))],
  ];
  it.each(kills)('survives a kill %s', async (_, kill) => {
    const { store, folder } = await storeOf([7, 8, 9]);
    await kill(join(folder, 'step-00000009'));
    expect(await newest(store)).toEqual([8, 'step-00000009.safetensors: it was not written completely']);
    await store.save(stateOf(10), about);
    expect((await readdir(folder)).filter((name) => /tmp|9/.test(name))).toEqual([]);
    expect(await newest(store)).toEqual([10]);
  });

  it.each(kills)('starts from the beginning after a kill %s of the first one', async (_, kill) => {
    const { store, folder } = await storeOf([9]);
    await kill(join(folder, 'step-00000009'));
    expect(await newest(store)).toEqual([null, 'step-00000009.safetensors: it was not written completely']);
  });

  it('removes the refused ones of a future that was given up', async () => {
    const { store, folder } = await storeOf([7, 8, 9]);
    await truncate(join(folder, 'step-00000009.safetensors'), 10);
    await store.save(stateOf(8), about);
    expect((await readdir(folder)).filter((name) => name.includes('9'))).toEqual([]);
    expect(await newest(store)).toEqual([8]);
  });

  it('says what is wrong with its options', () => {
    expect(() => new CheckpointStore('x', { keep: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: CheckpointStore: keep must be an integer of at least 1, got 0. Leave it out for 3.]`,
    );
  });
});
