import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, temporaryFolder } from '@tfjs-ssl/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { faults, repair } from '../test-support/faulty-files.ts';
import { writeFilesAtomically } from './write-files.ts';

vi.mock('./node-module.ts', async (original) => {
  const { withFaultyFiles } = await import('../test-support/faulty-files.ts');
  return withFaultyFiles(await original());
});

afterEach(repair);

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

  it.each(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])('does without the syncing of folders on %s', async (code) => {
    const folder = await temporaryFolder();
    faults.syncFolder = code;
    await writeFilesAtomically([{ path: join(folder, 'a'), data: 'new' }]);
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('new');
  });

  it('says so where a folder cannot be synced because the disk fails', async () => {
    const folder = await temporaryFolder();
    faults.syncFolder = 'EIO';
    await expect(writeFilesAtomically([{ path: join(folder, 'a'), data: 'new' }])).rejects.toThrow('(EIO)');
  });

  it.each(['EPERM', 'EACCES', 'EBUSY'])('tries a rename again that fails for a moment with %s', async (code) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'a'), 'old');
    Object.assign(faults, { rename: code, renames: 3 });
    await writeFilesAtomically([{ path: join(folder, 'a'), data: 'new' }]);
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('new');
    expect(await readdir(folder)).toEqual(['a']);
  });

  it('gives a rename up that goes on failing', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'a'), 'old');
    Object.assign(faults, { rename: 'EPERM', renames: 1000 });
    await expect(writeFilesAtomically([{ path: join(folder, 'a'), data: 'new' }])).rejects.toThrow('(EPERM)');
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('old');
    expect(await readdir(folder)).toEqual(['a']);
  });

  it('lets many write one file at once', async () => {
    const folder = await temporaryFolder();
    const data = Array.from({ length: 8 }, (_, i) => `${i}`.repeat(100_000));
    await Promise.all(data.map((text) => writeFilesAtomically([{ path: join(folder, 'a'), data: text }])));
    expect(data).toContain(await readFile(join(folder, 'a'), 'utf8'));
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
