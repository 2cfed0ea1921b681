import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type TestFile, temporaryFolder, zipBytes } from '../test-support/make-files.ts';
import { readReference } from '../workers/file-reader.js';
import { readZipDirectory } from './zip-directory.ts';

const files: TestFile[] = [
  { name: 'a.txt', bytes: new TextEncoder().encode('some text, some text, some text, some text') },
  { name: 'folder/empty', bytes: new Uint8Array(0) },
  { name: 'folder/ünï.bin', bytes: Uint8Array.from({ length: 1000 }, (_, i) => i % 7) },
];

async function written(bytes: Uint8Array): Promise<string> {
  const path = join(await temporaryFolder(), 'x.zip');
  await writeFile(path, bytes);
  return path;
}

async function failure(bytes: Uint8Array): Promise<string> {
  const path = await written(bytes);
  const error = await readZipDirectory(path).catch((caught: Error) => caught);
  return error instanceof Error ? error.message.replace(path, 'x.zip') : 'no error';
}

describe('readZipDirectory', () => {
  for (const options of [
    {},
    { deflate: true },
    { zip64: true },
    { deflate: true, zip64: true, comment: 'a comment PK\x05\x06 with the mark of an end record' },
  ]) {
    it(`lists and reads entries ${JSON.stringify(options)}`, async () => {
      const path = await written(zipBytes(files, options));
      const entries = (await readZipDirectory(path)).files;
      expect([...entries.keys()]).toEqual(files.map(({ name }) => name));
      for (const { name, bytes } of [files[0]!, files[2]!]) {
        expect([...readReference({ name, path, entry: entries.get(name)! })]).toEqual([...bytes]);
      }
      const empty = { name: 'folder/empty', path, entry: entries.get('folder/empty')! };
      expect(() => readReference(empty)).toThrowErrorMatchingInlineSnapshot(`[Error: is empty (0 bytes)]`);
    });
  }

  it('lists more entries than fit into a plain zip', async () => {
    const many = Array.from({ length: 70_000 }, (_, i) => ({ name: `${i}`, bytes: new Uint8Array(0) }));
    const { files: entries } = await readZipDirectory(await written(zipBytes(many, { zip64: true })));
    expect(entries.size).toBe(70_000);
  });

  it('tells folders from files', async () => {
    const bytes = zipBytes([{ name: 'folder/', bytes: new Uint8Array(0) }, files[0]!]);
    const { files: found, folders } = await readZipDirectory(await written(bytes));
    expect([[...found.keys()], folders]).toEqual([['a.txt'], ['folder/']]);
  });

  it('takes names for UTF-8 where they can be, and else for code page 437', async () => {
    const named = (nameBytes: number[]) => ({
      name: '',
      nameBytes: Uint8Array.from(nameBytes),
      bytes: new Uint8Array(1),
    });
    const names = async (content: TestFile[], flags = 0) => [
      ...(await readZipDirectory(await written(zipBytes(content, { flags })))).files.keys(),
    ];
    expect(await names([named([0x84]), named([0x94]), named([0xff, 0x80])])).toEqual(['ä', 'ö', '\u00a0Ç']);
    expect(await names([named([0xc3, 0xa4]), named([0xef, 0xbf, 0xbd])])).toEqual(['ä', '\ufffd']);
    await expect(names([named([0x84])], 0x800)).rejects.toThrow(
      'is damaged: the name of entry 0 of 1 of its directory is not the UTF-8 that it should be. Fetch or copy it again.',
    );
  });

  it('takes backslashes for slashes, and paths for relative', async () => {
    const content = ['cats\\1.png', './dogs/1.png', '/birds//1.png', '../up/./1.png', 'plain/..1.png'].map((name) => ({
      name,
      bytes: new Uint8Array(1),
    }));
    const { files: found } = await readZipDirectory(await written(zipBytes(content)));
    expect([...found.keys()]).toEqual(['cats/1.png', 'dogs/1.png', 'birds/1.png', 'up/1.png', 'plain/..1.png']);
  });

  for (const zip64 of [false, true]) {
    it(`passes over bytes before and after a zip, zip64 ${zip64}`, async () => {
      const good = zipBytes(files, { zip64 });
      for (const [before, after] of [
        [0, 64],
        [1000, 0],
        [5, 70],
      ] as const) {
        const path = await written(Buffer.concat([Buffer.alloc(before, 1), good, Buffer.alloc(after)]));
        const entry = (await readZipDirectory(path)).files.get('folder/ünï.bin')!;
        expect([...readReference({ name: 'x', path, entry })]).toEqual([...files[2]!.bytes]);
      }
    });
  }

  it('keeps the later of two files with one name, as unpacking does', async () => {
    const twice = [files[0]!, { name: 'a.txt', bytes: Uint8Array.of(1, 2, 3) }];
    const path = await written(zipBytes(twice));
    const entry = (await readZipDirectory(path)).files.get('a.txt')!;
    expect([...readReference({ name: 'a.txt', path, entry })]).toEqual([1, 2, 3]);
  });

  it('says what is wrong', async () => {
    const good = zipBytes(files);
    expect(await failure(good.subarray(0, good.length - 30))).toMatchInlineSnapshot(
      `"readZipDirectory: x.zip is cut short: the directory at its end is missing. Fetch or copy it again."`,
    );
    expect(await failure(Buffer.from('<html>not found</html>'))).toMatchInlineSnapshot(
      `"readZipDirectory: x.zip is neither a zip nor a folder. Check the path."`,
    );
    expect(await failure(Buffer.alloc(0))).toMatchInlineSnapshot(
      `"readZipDirectory: x.zip is neither a zip nor a folder. Check the path."`,
    );
    expect(await failure(good.subarray(40))).toMatchInlineSnapshot(
      `"readZipDirectory: x.zip is damaged: its directory should lie at 1180 to 1351 of 1333 bytes. Fetch or copy it again."`,
    );
    const broken = Buffer.from(good);
    broken.writeUInt32LE(0, good.readUInt32LE(good.length - 6));
    expect(await failure(broken)).toMatchInlineSnapshot(
      `"readZipDirectory: x.zip is damaged: entry 0 of 3 of its directory is not readable. Fetch or copy it again."`,
    );
    expect(await failure(zipBytes(files, { flags: 1 }))).toMatchInlineSnapshot(
      `"readZipDirectory: x.zip must not be encrypted, got the encrypted file a.txt. Unpack it with its password and pass the folder."`,
    );
    const parts = zipBytes(files);
    parts.writeUInt16LE(2, parts.length - 18);
    expect(await failure(parts)).toMatchInlineSnapshot(
      `"readZipDirectory: x.zip must be a complete zip, got one part of several. Join the parts, or unpack them and pass the folder."`,
    );
    const long = zipBytes(files, { zip64: true });
    long.writeBigUInt64LE(3n, long.length - 22 - 12);
    long.writeUInt32LE(0, long.length - 22 - 20 - 56);
    expect(await failure(long)).toMatchInlineSnapshot(
      `"readZipDirectory: x.zip is damaged: its Zip64 record is missing. Fetch or copy it again."`,
    );
  });

  it('checks the contents of an entry', async () => {
    const bytes = zipBytes(files);
    bytes[50] = bytes[50]! ^ 1;
    const path = await written(bytes);
    const entry = (await readZipDirectory(path)).files.get('a.txt')!;
    expect(() => readReference({ name: 'a.txt', path, entry })).toThrowErrorMatchingInlineSnapshot(
      `[Error: is damaged: its checksum differs from the zip directory]`,
    );
    expect(() =>
      readReference({ name: 'a', path, entry: { ...entry, method: 12 } }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[Error: is packed by zip method 12; only 0 (stored) and 8 (deflated) are read]`,
    );
    expect(() =>
      readReference({ name: 'a', path, entry: { ...entry, compressedSize: 1e6 } }),
    ).toThrowErrorMatchingInlineSnapshot(`[Error: lies beyond the end of the zip: the zip is cut short]`);
    expect(() => readReference({ name: 'a', path, entry: { ...entry, offset: 3 } })).toThrowErrorMatchingInlineSnapshot(
      `[Error: is not where the zip directory says: the zip is damaged]`,
    );
    expect(() => readReference({ name: 'a', path, entry: { ...entry, method: 8 } })).toThrowErrorMatchingInlineSnapshot(
      `[Error: is damaged: it cannot be inflated]`,
    );
  });
});
