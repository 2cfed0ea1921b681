import { chmod, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder, testPng, writeFolder } from '../test-support/make-files.ts';
import { folderOf, zipOf } from '../test-support/trees.ts';
import { type FolderSelection, listFolder } from './folder-listing.ts';
import { openTree } from './image-tree.ts';

const all: FolderSelection = {
  split: 'train',
  holdOut: 0,
  classNames: undefined,
  classes: undefined,
  imagesPerClass: undefined,
  onCorrupt: 'error',
};

/** Classes with their images, and what is left out. */
async function listed(path: string, selection: Partial<FolderSelection> = {}) {
  const { classNames, files, labels, leftOut } = listFolder(await openTree(path, 'imageFolder'), {
    ...all,
    ...selection,
  });
  const byClass = classNames.map((name, label) => [name, files.filter((_, i) => labels[i] === label).join(' ')]);
  return { ...Object.fromEntries(byClass), ...(leftOut.length > 0 && { leftOut }) };
}

async function failure(path: string, selection: Partial<FolderSelection> = {}): Promise<string> {
  const result = await listed(path, selection).catch((error: Error) => error.message.replaceAll(path, 'PATH'));
  return typeof result === 'string' ? result : 'no error';
}

/** Runs as a user who may not read everything, since root may. */
async function withoutRights<T>(run: () => Promise<T>): Promise<T> {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(65534);
  try {
    return await run();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

for (const [kind, treeOf] of [
  ['folder', folderOf],
  ['zip', zipOf],
] as const) {
  describe(`listFolder of a ${kind}`, () => {
    it('takes all images below a class', async () => {
      expect(await listed(await treeOf(['a/x/1.png', 'a/2.jfif', 'b/y/z/3.JPE']))).toEqual({
        a: 'a/x/1.png a/2.jfif',
        b: 'b/y/z/3.JPE',
      });
    });

    it('looks into one folder on top, beside folders of the system', async () => {
      const names = ['flowers/rose/1.png', 'flowers/daisy/1.png', '__MACOSX/flowers/rose/._1.png', '@eaDir/1.png'];
      expect(await listed(await treeOf([...names, 'lost+found/1.png']))).toEqual({
        daisy: 'flowers/daisy/1.png',
        rose: 'flowers/rose/1.png',
      });
      expect(await listed(await treeOf(['all/1.png', 'all/more/2.png']))).toEqual({ all: 'all/1.png all/more/2.png' });
      expect(await listed(await treeOf(['loose.png', 'all/more/2.png']))).toEqual({
        all: 'all/more/2.png',
        leftOut: [{ file: 'loose.png', reason: 'lies in no folder of a class' }],
      });
    });

    it('names what it leaves out', async () => {
      const path = await treeOf(['a/1.jpg', 'a/2.webp', 'a/notes.txt', 'a/.hidden', 'b/1.TIF', 'b/2.png', 'readme.md']);
      expect(await failure(path)).toMatchInlineSnapshot(
        `"imageFolder: images must be JPEG or PNG, got 2 files (the first is a/2.webp) in PATH: .webp, .tif. Convert such images, or leave them out with onCorrupt: 'skip'."`,
      );
      expect(await listed(path, { onCorrupt: 'skip' })).toEqual({
        a: 'a/1.jpg',
        b: 'b/2.png',
        leftOut: [
          { file: 'a/2.webp', reason: 'is an image of a format that is not read (.webp)' },
          { file: 'a/notes.txt', reason: 'is no image by its name' },
          { file: 'b/1.TIF', reason: 'is an image of a format that is not read (.tif)' },
        ],
      });
    });

    it('names a class without images, so that no label shifts', async () => {
      const path = await treeOf(['a/1.png', 'b/', 'c/1.png']);
      expect(await failure(path)).toMatchInlineSnapshot(
        `"imageFolder: path must hold images of every class, got PATH, where the folder b holds nothing. Put images there, move the folder away if it is no class, or pass all classes as classNames, so that the labels of two folders agree."`,
      );
      expect(await listed(path, { classNames: ['a', 'b', 'c'] })).toEqual({ a: 'a/1.png', b: '', c: 'c/1.png' });
      expect(await listed(await treeOf(['c/1.png']), { classNames: ['a', 'b', 'c'] })).toEqual({
        a: '',
        b: '',
        c: 'c/1.png',
      });
      expect(await failure(path, { classNames: ['a', 'b'] })).toMatchInlineSnapshot(
        `"imageFolder: classNames must name every class in PATH, got 2 names without 'c'. Add the class to them, or move its folder away."`,
      );
      expect(
        await failure(await treeOf(['a/1.png', 'b/1.webp', 'b/2.txt']), { onCorrupt: 'skip' }),
      ).toMatchInlineSnapshot(
        `"imageFolder: path must hold images of every class, got PATH, where the folder b holds 2 other files, of which b/1.webp is an image of a format that is not read (.webp). Put images there, move the folder away if it is no class, or pass all classes as classNames, so that the labels of two folders agree."`,
      );
    });

    it('refuses folders that are no classes', async () => {
      expect(await failure(await treeOf(['tiny/wnids.txt', 'tiny/train/n01/images/1.JPEG']))).toMatchInlineSnapshot(
        `"imageFolder: path must hold a folder per class, got PATH, which holds Tiny ImageNet. Open it with tinyImagenet."`,
      );
      expect(await failure(await treeOf(['images/val_0.JPEG', 'val_annotations.txt']))).toMatchInlineSnapshot(
        `"imageFolder: path must hold a folder per class, got PATH, which holds the validation images of Tiny ImageNet, without a folder per class. Open the folder above it, or the zip, with tinyImagenet and split 'val'."`,
      );
      expect(await failure(await treeOf(['x/train/a/1.png', 'x/test/a/1.png']))).toMatch(
        /^imageFolder: path must hold a folder per class, got PATH, which holds the parts train and test\. /,
      );
      expect(await failure(await treeOf(['1.png', '2.png']))).toMatch(
        /must hold a folder per class .* which holds none/,
      );
      expect(await listed(await treeOf(['n01/images/n01_0.JPEG', 'n01/n01_boxes.txt', 'n02/images/1.JPEG']))).toEqual({
        n01: 'n01/images/n01_0.JPEG',
        n02: 'n02/images/1.JPEG',
        leftOut: [{ file: 'n01/n01_boxes.txt', reason: 'is no image by its name' }],
      });
    });

    it('says what holdOut needs', async () => {
      expect(await failure(await treeOf(['a/1.png', 'b/1.png']), { split: 'val', holdOut: 0.5 })).toMatchInlineSnapshot(
        `"imageFolder: holdOut must leave an image for split 'val', got no class in PATH that has two. Add images, or leave holdOut out."`,
      );
    });
  });
}

describe('links and rights', () => {
  beforeEach(({ skip }) => skip(process.platform === 'win32', 'Windows has no links and rights as these'));

  it('lists each image once, whatever links lead to', async () => {
    const path = await folderOf(['a/1.png', 'b/1.png', 'c/deep/1.png']);
    const outside = await folderOf(['x/9.png']);
    await symlink('..', join(path, 'a/up'));
    await symlink('../..', join(path, 'a/further-up'));
    await symlink('../b', join(path, 'a/sibling'));
    await symlink('.', join(path, 'b/itself'));
    await symlink(join(outside, 'x'), join(path, 'd'));
    await symlink(join(outside, 'x'), join(path, 'e-again'));
    await symlink('1.png', join(path, 'b/2.png'));
    expect(await listed(path)).toEqual({
      a: 'a/1.png',
      b: 'b/1.png b/2.png',
      c: 'c/deep/1.png',
      d: 'd/9.png',
    });
  });

  it('lists a link that leads nowhere, which then cannot be read', async () => {
    const path = await folderOf(['a/1.png']);
    await symlink('gone.png', join(path, 'a/2.png'));
    expect(await listed(path)).toEqual({ a: 'a/1.png a/2.png' });
  });

  it('passes over lost+found, and names another folder that may not be read', async () => {
    const path = await temporaryFolder();
    await chmod(path, 0o755);
    await writeFolder(path, [{ name: 'a/1.png', bytes: await testPng(2, 2, 1) }]);
    await mkdir(join(path, 'lost+found'), { mode: 0o700 });
    expect(await withoutRights(() => listed(path))).toEqual({ a: 'a/1.png' });
    await mkdir(join(path, 'b'), { mode: 0 });
    expect(await withoutRights(() => failure(path))).toMatchInlineSnapshot(
      `"imageFolder: the folder PATH/b cannot be read (EACCES: permission denied, scandir 'PATH/b'). Change its permissions, or move it out of the data set."`,
    );
  });
});
