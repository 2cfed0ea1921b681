import { describe, expect, it } from 'vitest';
import { batches } from './batches.ts';
import { imagesInMemory } from './images-in-memory.ts';

const bytes = (count: number, from = 0) => Uint8Array.from({ length: count }, (_, i) => (from + i) % 256);

describe('imagesInMemory', () => {
  it('reads images of one array by position', async () => {
    const dataset = imagesInMemory(bytes(36), { size: [1, 4] });
    expect(dataset).toMatchObject({
      name: 'memory',
      split: 'train',
      length: 3,
      imageShape: [1, 4, 3],
      classNames: ['0'],
    });
    expect([...dataset.labels]).toEqual([0, 0, 0]);
    expect([...(await dataset.read([2, 0]))]).toEqual([...bytes(12, 24), ...bytes(12)]);
    const out = new Uint8Array(12);
    expect(await dataset.read([1], out)).toBe(out);
    await expect(dataset.read([3])).rejects.toThrow('in [0, 3), got 3');
  });

  it('takes lists of images, RGB or as a canvas gives them', async () => {
    const canvas = { width: 2, height: 1, data: Uint8ClampedArray.of(1, 2, 3, 255, 4, 5, 6, 0) };
    const dataset = imagesInMemory([Uint8Array.of(9, 8, 7, 6, 5, 4), canvas], { size: [1, 2] });
    expect([...(await dataset.read([1, 0]))]).toEqual([1, 2, 3, 4, 5, 6, 9, 8, 7, 6, 5, 4]);
  });

  it('has labels for batches', async () => {
    const dataset = imagesInMemory(new Uint8ClampedArray(4 * 3), {
      size: 1,
      labels: [2, 0, 2, 1],
      name: 'mine',
      split: 'val',
    });
    expect(dataset).toMatchObject({ name: 'mine', split: 'val', classNames: ['0', '1', '2'] });
    for await (const { indices, labels } of batches(dataset, { batchSize: 4, seed: 1, epoch: 0 })) {
      expect([...labels]).toEqual([...indices].map((index) => [2, 0, 2, 1][index]));
    }
    const named = imagesInMemory(bytes(3), { size: 1, classNames: ['a', 'b'] });
    expect(named.classNames).toEqual(['a', 'b']);
  });

  it.each([
    [
      'no whole images',
      'imagesInMemory: images must hold whole RGB images of 2 by 2 pixels (12 bytes each), at least one, got 13 bytes. Check size; leave the alpha channel out.',
      () => imagesInMemory(bytes(13), { size: 2 }),
    ],
    [
      'no images',
      'imagesInMemory: images must hold whole RGB images of 2 by 2 pixels (12 bytes each), at least one, got 0 bytes. Check size; leave the alpha channel out.',
      () => imagesInMemory([], { size: 2 }),
    ],
    [
      'a size that is none',
      'imagesInMemory: size must be an integer of at least 1, got 0. Pass the side of the images in pixels.',
      () => imagesInMemory(bytes(12), { size: 0 }),
    ],
    [
      'floats',
      'imagesInMemory: images must be a Uint8Array or Uint8ClampedArray of values from 0 to 255, got Float32Array. Multiply floats in [0, 1] by 255 and round them.',
      () => imagesInMemory(new Float32Array(12) as unknown as Uint8Array, { size: 2 }),
    ],
    [
      'an image of another size',
      'imagesInMemory: images[1] must have 2 by 2 pixels of 3 bytes each, got 3 bytes. Draw the image at that size.',
      () => imagesInMemory([bytes(12), bytes(3)], { size: 2 }),
    ],
    [
      'a canvas of another size',
      'imagesInMemory: images[0] must have 2 by 2 pixels of 4 bytes each, got 1 by 4 pixels of 16 bytes. Draw the image at that size.',
      () => imagesInMemory([{ width: 4, height: 1, data: bytes(16) }], { size: 2 }),
    ],
    [
      'too few labels',
      'imagesInMemory: labels must be 2 integers of at least 0, one per image, got 1. Leave labels out if there are none.',
      () => imagesInMemory(bytes(24), { size: 2, labels: [0] }),
    ],
    [
      'a label that is none',
      'imagesInMemory: labels must be 2 integers of at least 0, one per image, got -1 at position 1. Leave labels out if there are none.',
      () => imagesInMemory(bytes(24), { size: 2, labels: [0, -1] }),
    ],
    [
      'too few names',
      'imagesInMemory: classNames must hold 2 names, one per class, got 1. Name all classes, or leave classNames out.',
      () => imagesInMemory(bytes(24), { size: 2, labels: [0, 1], classNames: ['a'] }),
    ],
  ])('refuses %s', (_, message, make) => {
    expect(make).toThrow(message);
  });
});
