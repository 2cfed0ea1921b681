import { readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, temporaryFolder } from '@tfjs-ssl/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { FileLock } from './file-lock.ts';

afterEach(() => vi.useRealTimers());

const what = 'example: the folder';

async function lockPath(): Promise<{ folder: string; path: string }> {
  const folder = await temporaryFolder();
  return { folder, path: join(folder, 'a.lock') };
}

/** Makes a lock file what another owner would have written, and gives it an age. */
async function belongsTo(path: string, owner: object, secondsAgo: number): Promise<void> {
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), ...owner }));
  const time = Date.now() / 1000 - secondsAgo;
  await utimes(path, time, time);
}

const elsewhere = { realm: '000000000000', host: 'other', pid: 7, since: '2020-01-02T03:04:05.678Z' };

describe('FileLock', () => {
  it('is held by one, and free again', async () => {
    const { folder, path } = await lockPath();
    const lock = await FileLock.take(path, what);
    expect(
      (await messageOf(FileLock.take(path, what)))
        .replace(/\d{4}-\S+Z/, 'TIME')
        .replace(/process \d+/, 'process PID')
        .replace(/host \S+,/, 'host HOST,'),
    ).toMatchInlineSnapshot(
      `"example: the folder must have one writer at a time, got a second one beside process PID (this process) on host HOST, since TIME. Wait until it ends, or stop it."`,
    );
    await expect(FileLock.checkFree(path, what)).rejects.toThrow('(this process)');
    await lock.check();
    await lock.release();
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
    await FileLock.checkFree(path, what);
    await (await FileLock.take(path, what)).release();
  });

  it('is given to one of many that ask at once', async () => {
    const { folder, path } = await lockPath();
    const asked = await Promise.allSettled(Array.from({ length: 8 }, () => FileLock.take(path, what)));
    const locks = asked.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(locks).toHaveLength(1);
    await locks[0]?.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('of a process of this host that has ended is taken over at once, by one of many', async () => {
    const { folder, path } = await lockPath();
    for (let round = 0; round < 20; round++) {
      const killed = await FileLock.take(path, what);
      await belongsTo(path, { pid: 999_999_999, token: 'ffffffffffffffff' }, 0);
      const asked = await Promise.allSettled(Array.from({ length: 8 }, () => FileLock.take(path, what)));
      const locks = asked.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      expect(locks).toHaveLength(1);
      await locks[0]?.check();
      await locks[0]?.release();
      await killed.release();
      expect(await readdir(folder)).toEqual([]);
    }
  });

  it('of a process whose number another has now is taken over', async ({ skip }) => {
    skip(process.platform !== 'linux', 'only Linux says when another process began');
    const { path } = await lockPath();
    await FileLock.take(path, what);
    await belongsTo(path, { pid: process.ppid, start: '1', token: 'ffffffffffffffff' }, 0);
    await (await FileLock.take(path, what)).release();
  });

  it('of another host is respected for a minute after its last sign of life', async () => {
    const { path } = await lockPath();
    await FileLock.take(path, what);
    await belongsTo(path, elsewhere, 50);
    expect(await messageOf(FileLock.take(path, what))).toMatchInlineSnapshot(
      `"example: the folder must have one writer at a time, got a second one beside process 7 on host other, since 2020-01-02T03:04:05.678Z. Wait until it ends, or stop it. If it has ended already, try again in 60 s."`,
    );
    await belongsTo(path, elsewhere, 61);
    await (await FileLock.take(path, what)).release();
  });

  it('gives signs of life, and notices when it is lost', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { folder, path } = await lockPath();
    const lock = await FileLock.take(path, what);
    const text = await readFile(path, 'utf8');
    await utimes(path, 1, 1);
    vi.advanceTimersByTime(5000);
    await expect
      .poll(async () =>
        FileLock.checkFree(path, what).then(
          () => 'free',
          () => 'held',
        ),
      )
      .toBe('held');
    expect(await readFile(path, 'utf8')).toBe(text);
    await lock.check();

    await belongsTo(path, { token: 'ffffffffffffffff' }, 0);
    vi.advanceTimersByTime(5000);
    await expect.poll(() => lock.lost).toBe(true);
    expect(await messageOf(lock.check(), folder)).toMatchInlineSnapshot(
      `"example: the folder must stay with the process that writes it, got its lock <folder>/a.lock removed or taken by another process: this process was halted for more than 60 s, or somebody deleted the file. Stop here; what was saved before is intact."`,
    );
    await lock.release();
    expect(await readdir(folder)).toEqual(['a.lock']); // the other's
  });

  it('that is removed is lost', async () => {
    const { path } = await lockPath();
    const lock = await FileLock.take(path, what);
    await rm(path);
    await expect(lock.check()).rejects.toThrow('removed or taken by another');
  });

  it('that nobody can read belongs to someone while it is young', async () => {
    const { path } = await lockPath();
    await writeFile(path, '{');
    await expect(FileLock.take(path, what)).rejects.toThrow('a process that does not say who it is');
    await utimes(path, 1, 1);
    await (await FileLock.take(path, what)).release();
  });

  it('says what stands in its way', async () => {
    const { folder } = await lockPath();
    expect(await messageOf(FileLock.take(join(folder, 'none', 'a.lock'), what), folder)).toMatchInlineSnapshot(
      `"cannot write <folder>/none/a.lock: it is not there. Check the path. (ENOENT)"`,
    );
  });
});
