import { copyFile, mkdir, readdir, readFile, readlink, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { temporaryName } from '@tfjs-ssl/files';
import { beforeAll, describe, expect, it } from 'vitest';
import { type TestFile, temporaryFolder, tinyFiles, writeFolder, zipBytes } from '../test-support/make-files.ts';
import { decodeImages } from './decode-images.ts';
import type { DatasetProgress, ImageDataset } from './image-dataset.ts';
import { type TinyImagenetOptions, tinyImagenet } from './tiny-imagenet.ts';

let files: TestFile[];
beforeAll(async () => {
  files = await tinyFiles();
});

const root = 'tiny-imagenet-200';
const all = (dataset: ImageDataset) => dataset.read(Int32Array.from({ length: dataset.length }, (_, i) => i));
const without = (name: string) => files.filter((file) => file.name !== `${root}/${name}`);
const replaced = (name: string, bytes: Uint8Array) =>
  files.map((file) => (file.name === `${root}/${name}` ? { ...file, bytes } : file));

/** `toEqual` takes a second for arrays of this size. */
function expectBytes(got: Uint8Array, expected: Uint8Array): void {
  expect(got.length).toBe(expected.length);
  expect(Buffer.compare(got, expected), 'bytes are equal').toBe(0);
}

/** Opens, reads everything, closes. */
async function contents(options: TinyImagenetOptions): Promise<Uint8Array> {
  const dataset = await tinyImagenet({ workers: 2, ...options });
  const pixels = await all(dataset);
  await dataset.close();
  return pixels;
}

async function zipped(folder: string, content: readonly TestFile[], options = {}): Promise<string> {
  const path = join(folder, 'tiny.zip');
  await writeFile(path, zipBytes(content, options));
  return path;
}

/** The error of opening a zip of these files, with the folder's path cut out. */
async function failure(content: readonly TestFile[], options: Partial<TinyImagenetOptions> = {}): Promise<string> {
  const folder = await temporaryFolder();
  const path = await zipped(folder, content);
  const error = await tinyImagenet({ path, cacheDir: join(folder, 'cache'), workers: 1, ...options }).catch((e) => e);
  expect(error).toBeInstanceOf(Error);
  return error.message.replaceAll(folder, 'FOLDER');
}

/** The files that this process has open. */
const descriptors = async (): Promise<string[]> => {
  const links = await readdir('/proc/self/fd');
  const files = await Promise.all(links.map((link) => readlink(join('/proc/self/fd', link)).catch(() => '')));
  return files.filter((file) => /\.(zip|images)/.test(file));
};

describe('tinyImagenet', () => {
  it('lists classes in sorted order and images by number', async () => {
    const folder = await temporaryFolder();
    const path = await zipped(folder, files);
    const train = await tinyImagenet({ path, cacheDir: null });
    expect(train).toMatchObject({ name: 'tiny-imagenet', split: 'train', length: 12, imageShape: [64, 64, 3] });
    expect(train.classNames).toEqual(['n01', 'n02', 'n03', 'n04']);
    expect([...train.labels]).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
    const names = ['n01_0', 'n01_5', 'n01_10', 'n02_0'].map(
      (name) => `${root}/train/${name.slice(0, 3)}/images/${name}.JPEG`,
    );
    const expected = await decodeImages(names.map((name) => files.find((file) => file.name === name)!.bytes));
    const pixels = await train.read([0, 1, 2, 3]);
    for (const [i, { data }] of expected.entries()) expectBytes(pixels.subarray(i * 12288, (i + 1) * 12288), data);
    const gray = expected[1]!.data;
    expect(gray.every((value, at) => value === gray[at - (at % 3)])).toBe(true);

    const val = await tinyImagenet({ path, split: 'val', cacheDir: null });
    // val_i has class 3i mod 4: val_0 and val_4 are of class 0, val_3 and val_7 of class 1.
    expect([...val.labels]).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
    const third = await decodeImages([files.find(({ name }) => name.endsWith('/val_3.JPEG'))!.bytes]);
    expectBytes(await val.read([2]), third[0]!.data);
  });

  it('reads stored, deflated and Zip64 zips and the unpacked folder alike', async () => {
    const folder = await temporaryFolder();
    const expected = await contents({ path: await zipped(folder, files), cacheDir: null });
    for (const options of [{ deflate: true }, { zip64: true }, { deflate: true, zip64: true }]) {
      expectBytes(await contents({ path: await zipped(folder, files, options), cacheDir: null }), expected);
    }
    await writeFolder(folder, files);
    expectBytes(await contents({ path: join(folder, root), cacheDir: null }), expected);
    expectBytes(
      await contents({ path: join(folder, root), cacheDir: join(folder, 'cache'), memoryLimit: 0 }),
      expected,
    );
  });

  it('takes evenly spread classes and the first images', async () => {
    const path = await zipped(await temporaryFolder(), files);
    const dataset = await tinyImagenet({ path, classes: 2, imagesPerClass: 2, cacheDir: null });
    expect(dataset.classNames).toEqual(['n01', 'n03']);
    const whole = await tinyImagenet({ path, cacheDir: null });
    expectBytes(await all(dataset), await whole.read([0, 1, 6, 7]));
  });

  describe('cache', () => {
    async function prepared() {
      const folder = await temporaryFolder();
      const path = await zipped(folder, files);
      const cacheDir = join(folder, 'cache');
      let last: DatasetProgress | undefined;
      const open = async (options: Partial<TinyImagenetOptions> = {}) => {
        const onProgress = (progress: DatasetProgress) => {
          last = progress;
        };
        const pixels = await contents({ path, cacheDir, onProgress, ...options });
        return { pixels, last: last as DatasetProgress };
      };
      const cacheFile = async () => join(cacheDir, (await readdir(cacheDir))[0]!);
      return { folder, path, cacheDir, open, cacheFile };
    }

    it('is used again, from memory and from the file', async () => {
      const { open, cacheFile, cacheDir } = await prepared();
      const first = await open();
      expect(first.last).toEqual({ phase: 'decode', done: 12, total: 12, reason: 'there is no cache yet' });
      const { ino, mtimeMs } = await stat(await cacheFile());
      for (const memoryLimit of [undefined, 0]) {
        const again = await open(memoryLimit === undefined ? {} : { memoryLimit });
        expect(again.last).toEqual({ phase: 'check', done: 12, total: 12 });
        expectBytes(again.pixels, first.pixels);
      }
      expect(await stat(await cacheFile())).toMatchObject({ ino, mtimeMs });
      expect(await readdir(cacheDir)).toHaveLength(1);
    });

    it('is made again when the source has changed', async () => {
      const { open, path, cacheDir } = await prepared();
      await open();
      await utimes(path, 1000, 1000);
      expect((await open()).last.reason).toBe('the source or the decoder has changed');
      expect(await readdir(cacheDir)).toHaveLength(1);
    });

    it('is made again when it is damaged, wherever', async () => {
      const { open, cacheFile } = await prepared();
      const { pixels } = await open();
      const path = await cacheFile();
      const good = await readFile(path);
      const flip = (at: number) => {
        const bytes = Buffer.from(good);
        bytes[at] = bytes[at]! ^ 0x10;
        return bytes;
      };
      const damaged = [0, 10, 26, 5000, good.length - 3].map(flip);
      for (const bytes of [...damaged, good.subarray(0, 20), good.subarray(0, 60_000), Buffer.alloc(0)]) {
        await writeFile(path, bytes);
        const again = await open({ memoryLimit: 0 });
        expect(again.last).toMatchObject({ phase: 'decode', reason: 'the cache is damaged' });
        expectBytes(again.pixels, pixels);
        expectBytes(await readFile(path), good);
      }
    });

    it('is made by two at once without harm', async () => {
      const { open, cacheDir } = await prepared();
      const [a, b] = await Promise.all([open(), open()]);
      expectBytes(a.pixels, b.pixels);
      expect(await readdir(cacheDir)).toHaveLength(1);
    });

    it('leaves nothing behind when decoding fails, and sweeps up after killed processes', async () => {
      const { open, path, cacheDir, cacheFile } = await prepared();
      await open();
      const name = await cacheFile();
      await rm(name);
      const living = temporaryName(name);
      await copyFile(path, living.replace(/-\d+-(\d+)-\d+-([0-9a-f]+)\.tmp$/, '-999999999-$1-1-$2.tmp')); // of a process that has ended
      await copyFile(path, living);
      await zipped(join(path, '..'), replaced('train/n02/images/n02_5.JPEG', new Uint8Array(0)));
      await expect(open()).rejects.toThrow('n02_5.JPEG');
      expect(await readdir(cacheDir)).toEqual([basename(living)]);
    });

    it('leaves no file open, whatever ends it', async ({ skip }) => {
      skip(process.platform !== 'linux', 'only Linux lists the files that a process has open');
      const { open } = await prepared();
      await open();
      const cancel = () => {
        throw new Error('stopped');
      };
      const before = await descriptors();
      await expect(open({ onProgress: cancel, memoryLimit: 0 })).rejects.toThrow('stopped');
      await expect(open({ onProgress: cancel })).rejects.toThrow('stopped');
      await open();
      await new Promise(setImmediate);
      expect(await descriptors()).toEqual(before);
    });

    it('says which folder cannot be written and what to do', async () => {
      const { open, path, folder } = await prepared();
      const message = await open({ cacheDir: join(path, 'below') }).catch((error) => error.message);
      expect(message.replaceAll(folder, 'FOLDER').replace(/[0-9a-f]{16}/, 'HASH')).toMatchInlineSnapshot(
        `"tinyImagenet: cacheDir must be a folder that can be written, got FOLDER/tiny.zip/below (ENOTDIR: not a directory, open 'FOLDER/tiny.zip/below/tiny-imagenet-train-64px-HASH.images'); the decoded images need 0.1 MB. Name another folder, or hold the images in memory with cacheDir: null."`,
      );
    });

    it('says so when the disk is full', async ({ skip }) => {
      skip(process.platform !== 'linux', 'only Linux has a device that is always full');
      const { open, cacheDir, cacheFile, folder } = await prepared();
      await open();
      const name = await cacheFile();
      await rm(name);
      // The device that is always full, in the place of the next temporary file.
      const { fullDisk } = await import('../test-support/full-disk.ts');
      const message = await fullDisk(() => open()).catch((error) => error.message);
      expect(message.replaceAll(folder, 'FOLDER')).toMatchInlineSnapshot(
        `"tinyImagenet: cacheDir must be a folder that can be written, got FOLDER/cache (ENOSPC: no space left on device, write); the decoded images need 0.1 MB. Name another folder, or hold the images in memory with cacheDir: null."`,
      );
      expect(await readdir(cacheDir)).toEqual([]);
    });
  });

  describe('faulty input', () => {
    it('names a file that cannot be decoded', async () => {
      const name = 'train/n02/images/n02_5.JPEG';
      const good = files.find((file) => file.name.endsWith(name))!.bytes;
      expect(await failure(replaced(name, new Uint8Array(0)))).toMatchInlineSnapshot(
        `"tinyImagenet: images must be readable, got tiny-imagenet-200/train/n02/images/n02_5.JPEG in FOLDER/tiny.zip, which is empty (0 bytes). Replace it, or leave such images out with onCorrupt: 'skip'."`,
      );
      expect(await failure(replaced(name, good.subarray(0, good.length / 2)))).toMatchInlineSnapshot(
        `"tinyImagenet: images must be readable, got tiny-imagenet-200/train/n02/images/n02_5.JPEG in FOLDER/tiny.zip, which is a damaged JPEG: it is cut short, its end marker is missing. Replace it, or leave such images out with onCorrupt: 'skip'."`,
      );
      expect(await failure(replaced(name, good.subarray(0, 60)))).toMatchInlineSnapshot(
        `"tinyImagenet: images must be readable, got tiny-imagenet-200/train/n02/images/n02_5.JPEG in FOLDER/tiny.zip, which is a damaged JPEG: it is cut short or a length in it is wrong. Replace it, or leave such images out with onCorrupt: 'skip'."`,
      );
      expect(await failure(replaced(name, new Uint8Array(500).fill(7)))).toMatchInlineSnapshot(
        `"tinyImagenet: images must be readable, got tiny-imagenet-200/train/n02/images/n02_5.JPEG in FOLDER/tiny.zip, which is neither a JPEG nor a PNG image. Replace it, or leave such images out with onCorrupt: 'skip'."`,
      );
      const large = (await tinyFiles({ classes: 1, train: 1 }))[0]!;
      expect(await failure(replaced(name, large.bytes))).toContain('is neither a JPEG nor a PNG');
    });

    it('leaves such files out on request, and remembers them', async () => {
      const folder = await temporaryFolder();
      const name = `${root}/train/n02/images/n02_5.JPEG`;
      const path = await zipped(folder, replaced('train/n02/images/n02_5.JPEG', new Uint8Array(0)));
      const cacheDir = join(folder, 'cache');
      for (const memoryLimit of [1e9, 0]) {
        const dataset = await tinyImagenet({ path, cacheDir, onCorrupt: 'skip', memoryLimit });
        expect(dataset.skipped).toEqual([{ file: name, reason: 'is empty (0 bytes)' }]);
        expect([...dataset.labels]).toEqual([0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 3]);
        const good = await tinyImagenet({ path: await zipped(await temporaryFolder(), files), cacheDir: null });
        expectBytes(await all(dataset), await good.read([0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11]));
        await dataset.close();
      }
      await expect(tinyImagenet({ path, cacheDir })).rejects.toThrow(`${name} in ${path}, which is empty (0 bytes)`);
    });

    it('never leaves out a file that the system cannot read', async ({ skip }) => {
      skip(process.platform !== 'linux', 'only Linux has a file whose first byte cannot be read');
      const folder = await temporaryFolder();
      await writeFolder(folder, files);
      const broken = join(folder, root, 'train/n02/images/n02_5.JPEG');
      await rm(broken);
      await symlink('/proc/self/mem', broken); // a file whose first byte cannot be read
      const cacheDir = join(folder, 'cache');
      await expect(tinyImagenet({ path: folder, cacheDir, onCorrupt: 'skip' })).rejects.toThrow(
        /n02_5\.JPEG in .* cannot be read \(EIO: .*\)\. Check its permissions and the disk/,
      );
      expect(await readdir(cacheDir)).toEqual([]);
    });

    it('ends with an error when a class is left without images', async () => {
      const folder = await temporaryFolder();
      const path = await zipped(
        folder,
        files.map((file) => (/n02_\d+\.JPEG$/.test(file.name) ? { ...file, bytes: new Uint8Array(9) } : file)),
      );
      const message = await tinyImagenet({ path, cacheDir: null, onCorrupt: 'skip' }).catch((error) => error.message);
      expect(message.replaceAll(folder, 'FOLDER')).toMatchInlineSnapshot(
        `"tinyImagenet: class n02 in FOLDER/tiny.zip must keep an image, got all its 3 images left out: tiny-imagenet-200/train/n02/images/n02_10.JPEG is neither a JPEG nor a PNG image. Replace the images, or remove the class."`,
      );
    });

    it('names files among the images that are not read', async () => {
      const other = { name: `${root}/train/n02/images/n02_9.png`, bytes: new Uint8Array(1) };
      const path = await zipped(await temporaryFolder(), [...files, other]);
      const dataset = await tinyImagenet({ path, cacheDir: null });
      expect(dataset.skipped).toEqual([{ file: other.name, reason: 'is no .JPEG file by its name' }]);
      expect(dataset.length).toBe(12);
    });

    it('names a way to pack a zip that it reads', async () => {
      const folder = await temporaryFolder();
      const path = await zipped(folder, files, { method: 12 });
      const message = await tinyImagenet({ path, cacheDir: null }).catch((error) => error.message);
      expect(message.replaceAll(folder, 'FOLDER')).toMatchInlineSnapshot(
        `"tinyImagenet: tiny-imagenet-200/wnids.txt in FOLDER/tiny.zip must be packed by zip method 0 (stored) or 8 (deflated), got 12 (bzip2). Unpack the zip and pass the folder, or pack it again."`,
      );
    });

    it('ends with an error when nothing is left', async () => {
      const broken = files.map((file) => (/JPEG$/.test(file.name) ? { ...file, bytes: new Uint8Array(9) } : file));
      expect(await failure(broken, { onCorrupt: 'skip' })).toMatchInlineSnapshot(
        `"tinyImagenet: none of the 12 images in FOLDER/tiny.zip can be decoded. Replace them."`,
      );
    });

    it('names what the layout lacks', async () => {
      expect(await failure([{ name: 'cat.jpg', bytes: new Uint8Array(3) }])).toMatchInlineSnapshot(
        `"tinyImagenet: path must hold wnids.txt, train/<class>/images/*.JPEG, val/val_annotations.txt and val/images/*.JPEG, as in the official archive, got FOLDER/tiny.zip, which holds cat.jpg. Check the path."`,
      );
      expect(await failure(without('val/val_annotations.txt'), { split: 'val' })).toMatchInlineSnapshot(
        `"tinyImagenet: FOLDER/tiny.zip must hold tiny-imagenet-200/val/val_annotations.txt, the labels of the validation images, got none. Fetch the official archive again, or use only split 'train'."`,
      );
      expect(await failure(files.filter(({ name }) => !name.includes('/n03/')))).toMatchInlineSnapshot(
        `"tinyImagenet: FOLDER/tiny.zip must hold train images of the 4 classes in wnids.txt, got images of 3; the first class without images is n03. Fetch the official archive again."`,
      );
      expect(await failure(without('val/images/val_3.JPEG'), { split: 'val' })).toMatchInlineSnapshot(
        `"tinyImagenet: line 4 of tiny-imagenet-200/val/val_annotations.txt in FOLDER/tiny.zip must name a file that exists, got val_3.JPEG. Fetch the official archive again."`,
      );
      const text = (lines: string) => new TextEncoder().encode(lines);
      expect(
        await failure(replaced('val/val_annotations.txt', text('val_0.JPEG n01')), { split: 'val' }),
      ).toMatchInlineSnapshot(
        `"tinyImagenet: line 1 of tiny-imagenet-200/val/val_annotations.txt in FOLDER/tiny.zip must be a file, a tab and a class of wnids.txt, got 'val_0.JPEG n01'. Fetch the official archive again."`,
      );
      expect(
        await failure(replaced('val/val_annotations.txt', text('val_0.JPEG\tn01\n')), { split: 'val' }),
      ).toMatchInlineSnapshot(
        `"tinyImagenet: tiny-imagenet-200/val/val_annotations.txt in FOLDER/tiny.zip must have a line for every image, got none for tiny-imagenet-200/val/images/val_1.JPEG. Fetch the official archive again."`,
      );
    });

    it('says what the archive does not have', async () => {
      expect(await failure(files, { classes: 5 })).toMatchInlineSnapshot(
        `"tinyImagenet: classes must be an integer in [1, 4], got 5. Leave it out for all there are."`,
      );
      expect(await failure(files, { imagesPerClass: 4 })).toMatchInlineSnapshot(
        `"tinyImagenet: imagesPerClass must be at most 3, the train images of class n01, got 4. Leave it out for all there are."`,
      );
      expect(await failure(files, { imagesPerClass: 1.5 })).toMatchInlineSnapshot(
        `"tinyImagenet: imagesPerClass must be an integer of at least 1, got 1.5. Leave it out for all there are."`,
      );
      expect(await failure(files, { split: 'test' as 'val' })).toMatchInlineSnapshot(
        `"tinyImagenet: split must be 'train' or 'val', got 'test'. Choose one of these."`,
      );
      expect(await failure(files, { workers: 0 })).toMatchInlineSnapshot(
        `"tinyImagenet: workers must be an integer of at least 1, got 0. Leave it out for one per processor."`,
      );
      expect(await failure(files, { onCorrupt: 'ignore' as 'skip' })).toMatchInlineSnapshot(
        `"tinyImagenet: onCorrupt must be 'error' or 'skip', got 'ignore'. Choose one of these."`,
      );
    });

    it('names a zip that is cut short, is none, or is not there', async () => {
      const folder = await temporaryFolder();
      const path = join(folder, 'x.zip');
      const bytes = zipBytes(files);
      await writeFile(path, bytes.subarray(0, bytes.length / 2));
      await expect(tinyImagenet({ path })).rejects.toThrow(`${path} is cut short`);
      await writeFile(path, 'hello');
      await expect(tinyImagenet({ path })).rejects.toThrow(`${path} is neither a zip nor a folder`);
      await expect(tinyImagenet({ path: join(folder, 'no') })).rejects.toThrow(
        `path must name a zip or folder that exists, got '${join(folder, 'no')}'`,
      );
    });

    it('checks what is read, and refuses to read when closed', async () => {
      const folder = await temporaryFolder();
      await mkdir(join(folder, 'cache'));
      const dataset = await tinyImagenet({
        path: await zipped(folder, files),
        cacheDir: join(folder, 'cache'),
        memoryLimit: 0,
      });
      await expect(dataset.read([0, 12])).rejects.toThrowErrorMatchingInlineSnapshot(
        `[RangeError: read: indices must be integers in [0, 12), got 12 at position 1. Pass positions of images in the data set.]`,
      );
      await expect(dataset.read([0], new Uint8Array(5))).rejects.toThrowErrorMatchingInlineSnapshot(
        `[RangeError: read: out must have 12288 bytes, for 1 images of 12288, got 5. Leave it out, or make it of that size.]`,
      );
      await dataset.close();
      await dataset.close();
      await expect(dataset.read([0])).rejects.toThrowErrorMatchingInlineSnapshot(
        `[Error: read: the data set is closed. Open it again.]`,
      );
    });
  });
});
