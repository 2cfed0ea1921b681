import { readdir, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { temporaryFolder } from '@tfjs-ssl/testing';
import { describe, expect, it } from 'vitest';
import { makeNewFolder } from './new-folder.ts';
import { nameToCome, removeAbandoned, temporaryName } from './temporary-files.ts';

/** The temporary name that another would have given. */
const named = (path: string, { realm = '', pid = '' }): string =>
  temporaryName(path).replace(/\.([0-9a-f]{12})-(\d+)-/, (_, ours, own) => `.${realm || ours}-${pid || own}-`);

describe('temporaryName', () => {
  it('tells the name to come, and never comes twice', () => {
    const names = Array.from({ length: 100 }, () => temporaryName('a/b.bin'));
    expect(new Set(names).size).toBe(100);
    expect(new Set(names.map(nameToCome))).toEqual(new Set(['a/b.bin']));
    expect(nameToCome('a/b.bin.tmp')).toBeUndefined();
  });
});

describe('removeAbandoned', () => {
  it('removes what the dead left, and nothing of the living', async () => {
    const folder = await temporaryFolder();
    const at = (name: string) => join(folder, name);
    const fresh = temporaryName(at('a'));
    const own = temporaryName(at('a'));
    const dead = named(at('a'), { pid: '999999999' });
    const deadOther = named(at('b'), { pid: '999999999' });
    const foreign = named(at('a'), { realm: '000000000000' });
    const foreignOld = named(at('a'), { realm: '000000000000', pid: '8' });
    for (const path of [fresh, own, dead, deadOther, foreign, foreignOld, at('a'), at('a.tmp')])
      await writeFile(path, '');
    const now = Date.now() / 1000;
    await utimes(own, now - 9000, now - 9000);
    await utimes(foreign, now - 3000, now - 3000);
    await utimes(foreignOld, now - 3700, now - 3700);
    await removeAbandoned(fresh, (name) => name === 'a');
    const left = [fresh, own, deadOther, foreign, at('a'), at('a.tmp')].map((path) => basename(path));
    expect((await readdir(folder)).sort()).toEqual(left.sort());
  });
});

describe('makeNewFolder', () => {
  it('gives each of many at once a folder of its own', async () => {
    const path = join(await temporaryFolder(), 'runs', 'a');
    const made = await Promise.all(Array.from({ length: 4 }, () => makeNewFolder(path)));
    expect(made.sort()).toEqual([path, `${path}-2`, `${path}-3`, `${path}-4`]);
  });
});
