import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test-support/make-files.ts';
import { findTinyImagenet } from './find-tiny-imagenet.ts';

describe('findTinyImagenet', () => {
  it('prefers the named path, then the environment, then data/', async () => {
    const cwd = await temporaryFolder();
    expect(await findTinyImagenet({ cwd, env: {} })).toBeNull();
    await mkdir(join(cwd, 'data', 'tiny-imagenet-200'), { recursive: true });
    expect(await findTinyImagenet({ cwd, env: {} })).toBe(join(cwd, 'data', 'tiny-imagenet-200'));
    await writeFile(join(cwd, 'data', 'tiny-imagenet-200.zip'), '');
    expect(await findTinyImagenet({ cwd, env: {} })).toBe(join(cwd, 'data', 'tiny-imagenet-200.zip'));
    await writeFile(join(cwd, 'a.zip'), '');
    await writeFile(join(cwd, 'b.zip'), '');
    expect(await findTinyImagenet({ cwd, env: { TINY_IMAGENET: 'a.zip' } })).toBe(join(cwd, 'a.zip'));
    expect(await findTinyImagenet({ cwd, env: { TINY_IMAGENET: 'a.zip' }, data: 'b.zip' })).toBe(join(cwd, 'b.zip'));
    expect(await findTinyImagenet({ cwd, env: {}, data: 'data' })).toBe(join(cwd, 'data', 'tiny-imagenet-200.zip'));
    expect(await findTinyImagenet({ cwd, env: { TINY_IMAGENET: '' } })).toBe(
      join(cwd, 'data', 'tiny-imagenet-200.zip'),
    );
  });

  it('never passes over a named path that is not there', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'data', 'tiny-imagenet-200'), { recursive: true });
    const message = (options: object) =>
      findTinyImagenet({ cwd, env: {}, ...options }).catch((error) => error.message.replace(cwd, 'CWD'));
    expect(await message({ data: 'no.zip' })).toMatchInlineSnapshot(
      `"findTinyImagenet: data must name a zip or folder that exists, got 'CWD/no.zip'. Check the path."`,
    );
    expect(await message({ env: { TINY_IMAGENET: '/no/such.zip' } })).toMatchInlineSnapshot(
      `"findTinyImagenet: TINY_IMAGENET must name a zip or folder that exists, got '/no/such.zip'. Correct the environment variable, or unset it."`,
    );
  });
});
