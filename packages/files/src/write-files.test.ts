import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, temporaryFolder } from '@tfjs-ssl/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { faults } from '../test-support/faulty-files.ts';
import { writeFilesAtomically } from './write-files.ts';

vi.mock('./node-module.ts', async (original) => {
  const { withFaultyFiles } = await import('../test-support/faulty-files.ts');
  return withFaultyFiles(await original());
});

afterEach(() => {
  faults.write = null;
  faults.open = null;
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
