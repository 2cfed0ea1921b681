import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder, testJpeg, testPng, writeFolder } from '../test-support/make-files.ts';
import { decodeImages } from './decode-images.ts';
import { type ImageFolderOptions, imageFolder } from './image-folder.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function makeFolder(): Promise<string> {
  const folder = await temporaryFolder();
  const files = [
    { name: 'b/2.png', bytes: await testPng(20, 13, 2) },
    { name: 'b/10.JPG', bytes: await testJpeg(33, 40, 10) },
    { name: 'b/notes.txt', bytes: new Uint8Array(4) },
    { name: 'b/.hidden.png', bytes: new Uint8Array(4) },
    { name: '.cache/x.png', bytes: new Uint8Array(4) },
    { name: 'loose.png', bytes: new Uint8Array(4) },
  ];
  for (let i = 0; i < 5; i++) files.push({ name: `a/${i}.jpeg`, bytes: await testJpeg(16, 16, i) });
  await writeFolder(folder, files);
  return folder;
}

describe('imageFolder', () => {
  it('lists classes and images in order and makes all of one size', async () => {
    const path = await makeFolder();
    const dataset = await imageFolder({ path, size: 16, cacheDir: join(path, '.cache') });
    expect(dataset).toMatchObject({ name: 'folder', length: 7, imageShape: [16, 16, 3], classNames: ['a', 'b'] });
    expect([...dataset.labels]).toEqual([0, 0, 0, 0, 0, 1, 1]);
    const [png] = await decodeImages([await testPng(20, 13, 2)], { size: 16 });
    expect(await dataset.read([5])).toEqual(png!.data);
    await dataset.close();
    // The second time it comes from the cache.
    const phases = new Set<string>();
    const again = await imageFolder({
      path,
      size: 16,
      cacheDir: join(path, '.cache'),
      onProgress: ({ phase }) => phases.add(phase),
    });
    expect(await again.read([5])).toEqual(png!.data);
    expect([...phases]).toEqual(['check']);
  });

  it('notices that a file has changed', async () => {
    const path = await makeFolder();
    const options = { path, size: 8, cacheDir: join(path, '.cache') };
    await imageFolder(options);
    const bytes = await testPng(40, 40, 77);
    await writeFolder(path, [{ name: 'b/2.png', bytes }]);
    const [changed] = await decodeImages([bytes], { size: 8 });
    expect(await (await imageFolder(options)).read([5])).toEqual(changed!.data);
  });

  it('holds out a part of each class', async () => {
    const path = await makeFolder();
    const open = (split: 'train' | 'val') => imageFolder({ path, size: 4, split, holdOut: 0.4, cacheDir: null });
    const [train, val] = [await open('train'), await open('val')];
    expect([...train.labels]).toEqual([0, 0, 0, 1]);
    expect([...val.labels]).toEqual([0, 0, 1]);
    // Fewer images than a share is of: one of each class is held out all the same.
    const few = await imageFolder({ path, size: 4, split: 'val', holdOut: 0.1, cacheDir: null });
    expect([...few.labels]).toEqual([0, 1]);
    const others = await imageFolder({ path, size: 4, split: 'train', holdOut: 0.1, cacheDir: null });
    expect([...others.labels]).toEqual([0, 0, 0, 0, 1]);
    const whole = await imageFolder({ path, size: 4, cacheDir: null });
    expect(await val.read([0, 1])).toEqual(await whole.read([2, 4]));
    expect((await imageFolder({ path, size: 4, imagesPerClass: 1, cacheDir: null })).length).toBe(2);
  });

  it('says what is wrong', async () => {
    const path = await makeFolder();
    const message = (options: Partial<ImageFolderOptions>) =>
      imageFolder({ path, size: 16, cacheDir: null, ...options }).catch((error) =>
        error.message.replaceAll(path, 'FOLDER'),
      );
    expect(await message({ path: join(path, 'a') })).toMatchInlineSnapshot(
      `"imageFolder: path must hold a folder per class with .jpg, .jpeg or .png files, got FOLDER/a, which holds none. Check the path."`,
    );
    expect(await message({ path: join(path, 'none') })).toMatchInlineSnapshot(
      `"imageFolder: path must name a zip or folder that exists, got 'FOLDER/none'. Check the path."`,
    );
    expect(await message({ size: 0 })).toMatchInlineSnapshot(
      `"imageFolder: size must be an integer in [1, 4096], got 0. It is the side of an image in pixels."`,
    );
    expect(await message({ resize: 'fit' as 'crop' })).toMatchInlineSnapshot(
      `"imageFolder: resize must be 'crop' or 'stretch', got 'fit'. Choose one of these."`,
    );
    expect(await message({ holdOut: 1 })).toMatchInlineSnapshot(
      `"imageFolder: holdOut must be a finite number in [0, 1), got 1. It is a share of each class: 0.1 for a tenth."`,
    );
    expect(await message({ classes: 1, classNames: ['a'] })).toMatchInlineSnapshot(
      `"imageFolder: classes must be left out if classNames is given, got 1. Leave one of the two out."`,
    );
    expect(await message({ classes: 3 })).toMatchInlineSnapshot(
      `"imageFolder: classes must be an integer in [1, 2], got 3. Leave it out for all there are."`,
    );
    await writeFolder(path, [{ name: 'b/3.png', bytes: (await testPng(20, 20, 1)).subarray(0, 90) }]);
    expect(await message({})).toMatchInlineSnapshot(
      `"imageFolder: images must be readable, got b/3.png in FOLDER, which is a damaged PNG: it is cut short. Replace it, or leave such images out with onCorrupt: 'skip'."`,
    );
  });
});

describe('decodeImages', () => {
  // Made with Pillow 13.0.0: Image.resize(BILINEAR), for `crop` with torchvision's Resize(size) and CenterCrop(size).
  it.each([
    [97, 61, 32, 'crop', '506fe3297ed6bf3a058d2fb6a210eb99cb7f2d8c8821c06dc263670f2dcc9a1b'],
    [61, 97, 32, 'crop', '88ff214125cfacd4f5ec39b0a82916efae6388876ca2cd086a5ff470aec73aa2'],
    [97, 61, 32, 'stretch', 'caf170ff04b14ea566cae66b7e2de0fe64941cec0158d37e0a9b3cc71abba1b4'],
    [20, 13, 32, 'crop', '2c0fb405544519d21cec9fc35a5e4c7df14ddea4bc6058ef1bbc3eccdc15ef6f'],
    [20, 13, 32, 'stretch', '4d9947d244be5cf92b7456a4c0f076d7f23a943510c1a2a82798881f4fd8c780'],
    [300, 20, 16, 'crop', 'bc18f729811a1de8c23e26b90616b8e171f9e34e3946dcd5f09d7ce9b62b6dd2'],
    [64, 200, 64, 'crop', '778e00d3c00d727ea812c340d0ff9e7cdf6e5f87181e3d67c77148ff6c401e3e'],
    [53, 53, 16, 'crop', '7084b458fc3dd6aa99be95c5d59bac09429a47b95af82191c1e5bba407aa506c'],
    // Thin pictures, of which the middle is a part in thousands.
    [1, 3000, 224, 'crop', '23947a6eed6451267548f2470cf4a1d5600ce9de3feb6453fda891d2467478b7'],
    [20000, 1, 16, 'crop', 'f98a9bfcde8406bea48f2e9182f28248edea5b5a9effd7286e931b3a6856efa0'],
    [20000, 2, 16, 'stretch', 'b59a9faba9aed116f5c718b2f2a77ad8ec32ddf4f42b45dca68011ec16c17447'],
    [2, 3001, 64, 'crop', '3bbd527bf484522bb67a5183292abff6ed7c59203429378474afb516f05dc788'],
  ] as const)('makes %i x %i pixels fit %i by %s as Pillow does', async (width, height, size, resize, expected) => {
    const [image] = await decodeImages([await testPng(width, height, 3)], { size, resize, workers: 1 });
    expect(sha256(image!.data)).toBe(expected);
  });

  it('keeps order and sizes over several workers', async () => {
    const files = await Promise.all(Array.from({ length: 40 }, (_, i) => testPng(4 + (i % 3), 5, i)));
    const images = await decodeImages(files, { workers: 2 });
    expect(images.map(({ width }) => width)).toEqual(files.map((_, i) => 4 + (i % 3)));
    expect(images.map(({ data }) => data[0])).toEqual(files.map((_, i) => (i * 17) % 256));
  });

  it('names what it cannot decode, and goes on well afterwards', async () => {
    const good = await testJpeg(16, 16, 1);
    const expected = (await decodeImages([good]))[0]!;
    await expect(decodeImages([good, new Uint8Array(3)])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[Error: decodeImages: file 1 is neither a JPEG nor a PNG image. Leave it out, or replace it.]`,
    );
    await expect(decodeImages([good.subarray(0, 50)])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[Error: decodeImages: file 0 is a damaged JPEG: it is cut short or a length in it is wrong. Leave it out, or replace it.]`,
    );
    await expect(decodeImages([good], { size: -1 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: decodeImages: size must be an integer in [1, 4096], got -1. It is the side of an image in pixels.]`,
    );
    expect(await decodeImages([])).toEqual([]);
    expect((await decodeImages([good]))[0]).toEqual(expected);
  });
});
