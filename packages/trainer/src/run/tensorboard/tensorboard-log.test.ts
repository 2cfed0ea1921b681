import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { messageOf, temporaryFolder } from '../../../test-support/tiny-run.ts';
import { TensorBoardLog } from '../../index.ts';
import { stepOfEvent } from './event-message.ts';
import { readRecords } from './record-frames.ts';

async function add(log: TensorBoardLog, steps: readonly number[]): Promise<void> {
  for (const step of steps) await log.add(step, { loss: step });
}

const files = async (folder: string): Promise<string[]> => (await readdir(folder)).sort();

/** The steps in each file; null for what opens it. */
async function stepsIn(folder: string): Promise<Array<Array<number | null>>> {
  const contents = await Promise.all((await files(folder)).map((name) => readFile(join(folder, name))));
  return contents.map((file) => {
    const { records, end } = readRecords(file);
    expect(end).toBe(file.length);
    return records.map(({ content }) => stepOfEvent(content));
  });
}

/** A log of steps 0 to 5. */
async function logged(): Promise<{ folder: string; log: TensorBoardLog }> {
  const folder = join(await temporaryFolder(), 'events');
  const log = new TensorBoardLog(folder);
  await add(log, [0, 1, 2, 3, 4, 5]);
  await log.flush();
  return { folder, log };
}

describe('TensorBoardLog', () => {
  it('writes a file that begins with its version', async () => {
    const { folder } = await logged();
    expect(await files(folder)).toEqual([expect.stringMatching(/^events\.out\.tfevents\.\d{10}\.tfjs-ssl\.0000$/)]);
    expect(await stepsIn(folder)).toEqual([[null, 0, 1, 2, 3, 4, 5]]);
  });

  it('gathers events, writes them by itself in the end, and only adds', async () => {
    const { folder, log } = await logged();
    const path = join(folder, (await files(folder))[0] as string);
    const before = await readFile(path);
    await add(log, [6]);
    expect(await readFile(path)).toEqual(before);
    await add(
      log,
      [...Array(20).keys()].map((i) => 7 + i),
    );
    const after = await readFile(path);
    expect(after.subarray(0, before.length)).toEqual(before);
    expect((await stepsIn(folder))[0]).toHaveLength(1 + 26);
  });

  it('goes on in a file of its own, with each step once', async () => {
    const { folder } = await logged();
    const second = new TensorBoardLog(folder);
    await second.rewind(4);
    await add(second, [4, 5, 6, 7]);
    await second.flush();
    // a file begins with its version and, where a run goes on, the step from which earlier ones do not count
    expect(await stepsIn(folder)).toEqual([
      [null, 0, 1, 2, 3],
      [null, 4, 4, 5, 6, 7],
    ]);
    const third = new TensorBoardLog(folder);
    await third.rewind(2);
    await add(third, [2]);
    await third.flush();
    expect(await stepsIn(folder)).toEqual([
      [null, 0, 1],
      [null, 2, 2],
    ]);
  });

  it('takes away half an event that a kill has left, and all where a run starts again', async () => {
    const { folder } = await logged();
    const path = join(folder, (await files(folder))[0] as string);
    await truncate(path, (await readFile(path)).length - 5);
    const log = new TensorBoardLog(folder);
    await log.rewind(100);
    expect(await stepsIn(folder)).toEqual([[null, 0, 1, 2, 3, 4]]);
    await log.rewind(0);
    expect(await files(folder)).toEqual([]);
  });

  it('shares a folder with another log, each in a file of its own', async () => {
    const folder = await temporaryFolder();
    const logs = [new TensorBoardLog(folder), new TensorBoardLog(folder)];
    await Promise.all(logs.map((log) => add(log, [0, 1])));
    await Promise.all(logs.map((log) => log.flush()));
    expect(await stepsIn(folder)).toEqual([
      [null, 0, 1],
      [null, 0, 1],
    ]);
  });

  it('leaves other files alone', async () => {
    const folder = await temporaryFolder();
    const others = [
      'metrics.jsonl',
      'events.out.tfevents.1700000000.alpha',
      'events.out.tfevents.1700000000.alpha.4711.0.v2',
    ];
    for (const name of others) await writeFile(join(folder, name), 'mine');
    await new TensorBoardLog(folder).rewind(0);
    for (const name of others) expect(await readFile(join(folder, name), 'utf8')).toBe('mine');
  });

  it('says what stands in its way, keeps the events, and writes them later', async () => {
    const parent = await temporaryFolder();
    const folder = join(parent, 'events');
    await writeFile(folder, '');
    const log = new TensorBoardLog(folder);
    await add(log, [0, 1]);
    expect(await messageOf(log.flush(), parent)).toMatchInlineSnapshot(
      `"cannot make the folder <folder>/events: it is a file. Choose another folder. (EEXIST)"`,
    );
    await rm(folder);
    await mkdir(folder);
    await log.flush();
    expect(await stepsIn(folder)).toEqual([[null, 0, 1]]);
  });
});
