import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { messageOf, temporaryFolder } from '../../test-support/tiny-run.ts';
import { MetricsLog, type StepRecord } from '../index.ts';

const record = (step: number): StepRecord => ({
  step,
  epoch: Math.floor(step / 3),
  loss: 1 / (step + 3),
  metrics: { top1: 0.1 * step },
  learningRate: 0.01,
  seconds: { load: 0.1, prepare: 0.2, step: 0.3 },
  imagesPerSecond: 10,
});

async function logOf(steps: number): Promise<{ folder: string; path: string; log: MetricsLog }> {
  const folder = await temporaryFolder();
  const path = join(folder, 'metrics.jsonl');
  const log = MetricsLog.create(path);
  for (let step = 0; step < steps; step++) await log.append(record(step));
  await log.flush();
  return { folder, path, log };
}

const stepsIn = async (path: string): Promise<number[]> =>
  (await readFile(path, 'utf8'))
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line).step);

describe('MetricsLog', () => {
  it('writes one line a step and reads the very same numbers', async () => {
    const { path, log } = await logOf(4);
    expect(await stepsIn(path)).toEqual([0, 1, 2, 3]);
    expect((await MetricsLog.open(path)).records).toEqual([0, 1, 2, 3].map(record));
    expect(log.records).toEqual([0, 1, 2, 3].map(record));
  });

  it('keeps which steps overflowed', async () => {
    const { path, log } = await logOf(0);
    const steps = [0, 1].map((step) => ({ ...record(step), lossScale: 65536 / 2 ** step, skipped: step === 0 }));
    for (const step of steps) await log.append(step);
    await log.flush();
    expect((await MetricsLog.open(path)).records).toEqual(steps);
  });

  it('knows whether another has written to its file', async () => {
    const { path, log } = await logOf(2);
    expect(await log.isCurrent()).toBe(true);
    await appendFile(path, '{}\n');
    expect(await log.isCurrent()).toBe(false);
  });

  it('gathers lines, and writes them by itself in the end', async () => {
    const { path, log } = await logOf(1);
    for (let step = 1; step < 40; step++) await log.append(record(step));
    expect(await stepsIn(path)).toEqual([0]);
    for (let step = 40; step < 60; step++) await log.append(record(step));
    expect((await stepsIn(path)).length).toBeGreaterThan(40);
    await log.flush();
    expect(await stepsIn(path)).toEqual(Array.from({ length: 60 }, (_, i) => i));
  });

  it('takes each step once, in order', async () => {
    const { log, folder } = await logOf(2);
    expect(await messageOf(log.append(record(1)), folder)).toMatchInlineSnapshot(
      `"MetricsLog: step must be 2, the next one, got 1. Record each step once."`,
    );
    expect(await messageOf(log.append(record(3)), folder)).toMatchInlineSnapshot(
      `"MetricsLog: step must be 2, the next one, got 3. Record each step once."`,
    );
    await log.append(record(2));
  });

  it('goes back to a step and on from there', async () => {
    const { path, folder } = await logOf(8);
    const log = await MetricsLog.open(path);
    await log.rewind(5);
    expect(await stepsIn(path)).toEqual([0, 1, 2, 3, 4]);
    await log.append(record(5));
    await log.flush();
    expect(await stepsIn(path)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(await readdir(folder)).toEqual(['metrics.jsonl']);
  });

  it.each([
    ['half a line', '{"step":4,"epoch":1,"lo'],
    ['half a line that is whole JSON', '4'],
    ['zeros', '\0\0\0\n\0\0'],
    ['a line of another kind', 'null\n'],
    ['a step twice', `${JSON.stringify(record(3))}\n`],
  ])('drops %s after the checkpoint', async (_, text) => {
    const { path } = await logOf(4);
    await appendFile(path, text);
    const log = await MetricsLog.open(path);
    expect(log.next).toBe(4);
    await log.rewind(4);
    await log.append(record(4));
    await log.flush();
    expect(await stepsIn(path)).toEqual([0, 1, 2, 3, 4]);
  });

  it('refuses to go on where steps before the checkpoint are damaged or lacking', async () => {
    const { path, folder } = await logOf(4);
    const text = await readFile(path, 'utf8');
    expect(await messageOf((await MetricsLog.open(path)).rewind(6), folder)).toMatchInlineSnapshot(
      `"MetricsLog: <folder>/metrics.jsonl must hold all steps before 6, got only those before 4. Move the file away to continue without the earlier metrics."`,
    );
    await writeFile(path, text.replace('"step":1', '"step":\0'));
    expect(await messageOf((await MetricsLog.open(path)).rewind(3), folder)).toMatchInlineSnapshot(
      `"MetricsLog: <folder>/metrics.jsonl must hold all steps before 3, got only those before 1: line 2 is damaged. Move the file away to continue without the earlier metrics."`,
    );
    await writeFile(path, `\0${text}`);
    expect(await messageOf((await MetricsLog.open(path)).rewind(3), folder)).toMatchInlineSnapshot(
      `"MetricsLog: <folder>/metrics.jsonl must hold all steps before 3, got only those before 0: line 1 is damaged. Move the file away to continue without the earlier metrics."`,
    );
    expect(await readFile(path, 'utf8')).toBe(`\0${text}`);
  });

  it('goes on without the earlier metrics where the file was moved away', async () => {
    const log = await MetricsLog.open(join(await temporaryFolder(), 'metrics.jsonl'));
    await log.rewind(7);
    await log.append(record(7));
    await log.flush();
    expect(await stepsIn(log.path)).toEqual([7]);
    expect((await MetricsLog.open(log.path)).next).toBe(8);
  });

  it('says that its path is a folder', async () => {
    const folder = await temporaryFolder();
    expect(await messageOf(MetricsLog.open(folder), folder)).toMatchInlineSnapshot(
      `"cannot read <folder>: it is a folder. Move it away or choose another path. (EISDIR)"`,
    );
    const log = MetricsLog.create(folder);
    await log.append(record(0));
    expect(await messageOf(log.flush(), folder)).toMatchInlineSnapshot(
      `"cannot write <folder>: it is a folder. Move it away or choose another path. (EISDIR)"`,
    );
  });
});
