import { describe, expect, it } from 'vitest';
import { generatedImages } from './generated-images.ts';

const all = (length: number) => Int32Array.from({ length }, (_, i) => i);

describe('generatedImages', () => {
  it('gives the same image by itself, in a batch, twice, kept or not', async () => {
    const options = { classes: 3, imagesPerClass: 4, size: 16, seed: 7 };
    const together = await generatedImages(options).read(all(12));
    const kept = generatedImages(options);
    const fresh = generatedImages({ ...options, memoryLimit: 0 });
    for (const index of [5, 0, 5, 11]) {
      const expected = together.subarray(index * 768, (index + 1) * 768);
      expect(await kept.read([index])).toEqual(expected);
      expect(await fresh.read([index])).toEqual(expected);
    }
    const out = new Uint8Array(768 * 2);
    expect(await fresh.read([1, 2], out)).toBe(out);
    expect(out).toEqual(together.subarray(768, 3 * 768));
  });

  it('makes other images for another seed and split', async () => {
    const read = (options: object) => generatedImages({ size: 16, ...options }).read([0]);
    const first = await read({});
    expect(await read({ seed: 1 })).not.toEqual(first);
    expect(await read({ split: 'val' })).not.toEqual(first);
    expect(await read({})).toEqual(first);
  });

  it('names and labels its classes', () => {
    const dataset = generatedImages({ classes: 256, imagesPerClass: 2 });
    expect(dataset.length).toBe(512);
    expect([...dataset.labels.slice(0, 5)]).toEqual([0, 0, 1, 1, 2]);
    expect(new Set(dataset.classNames).size).toBe(256);
    expect(dataset.classNames.slice(14, 18)).toMatchInlineSnapshot(`
      [
        "spirals",
        "grid",
        "rows under checks",
        "checks under rings",
      ]
    `);
  });

  it('has classes that colour does not tell apart', async () => {
    // Nearest neighbour by mean and spread of each channel: ten classes, chance 0.1.
    const dataset = generatedImages({ classes: 10, imagesPerClass: 40, size: 24, seed: 2 });
    const pixels = await dataset.read(all(400));
    const features = Array.from({ length: 400 }, (_, i) => {
      const image = pixels.subarray(i * 1728, (i + 1) * 1728);
      return [0, 1, 2].flatMap((channel) => {
        const values = image.filter((_, at) => at % 3 === channel);
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        return [mean, Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)];
      });
    });
    const right = features.filter((feature, i) => {
      const distances = features.map((other) => Math.hypot(...other.map((value, d) => value - feature[d]!)));
      distances[i] = Number.POSITIVE_INFINITY;
      return dataset.labels[distances.indexOf(Math.min(...distances))] === dataset.labels[i];
    });
    expect(right.length / 400).toBeLessThan(0.25);
  });

  it('draws every pattern with contrast', async () => {
    const dataset = generatedImages({ classes: 20, imagesPerClass: 3, size: 32, seed: 4 });
    for (let index = 0; index < dataset.length; index++) {
      const image = await dataset.read([index]);
      const green = image.filter((_, at) => at % 3 === 1);
      const mean = green.reduce((sum, value) => sum + value, 0) / green.length;
      const deviation = Math.sqrt(green.reduce((sum, value) => sum + (value - mean) ** 2, 0) / green.length);
      expect(deviation, dataset.classNames[dataset.labels[index]!]).toBeGreaterThan(15);
    }
  });

  it('refuses what it cannot make', async () => {
    expect(() => generatedImages({ classes: 257 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: generatedImages: classes must be an integer in [1, 256], got 257. Leave it out for all there are.]`,
    );
    expect(() => generatedImages({ imagesPerClass: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: generatedImages: imagesPerClass must be an integer of at least 1, got 0. Leave it out for all there are.]`,
    );
    expect(() => generatedImages({ size: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: generatedImages: size must be an integer in [1, 4096], got 0. It is the side of an image in pixels.]`,
    );
    expect(() => generatedImages({ split: 'test' as 'val' })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: generatedImages: split must be 'train' or 'val', got 'test'. Choose one of these.]`,
    );
    const dataset = generatedImages({ classes: 1, imagesPerClass: 2, size: 4 });
    await expect(dataset.read([2])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: read: indices must be integers in [0, 2), got 2 at position 0. Pass positions of images in the data set.]`,
    );
    await expect(dataset.read([0], new Uint8Array(3))).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: read: out must have 48 bytes, for 1 images of 48, got 3. Leave it out, or make it of that size.]`,
    );
  });
});
