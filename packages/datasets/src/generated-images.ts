import seedrandom from 'seedrandom';
import { checkClasses, checkImagesPerClass, checkSize, checkSplit } from './dataset-options.ts';
import { type Pattern, type PatternFamily, patternFamilies } from './generated-patterns.ts';
import { type ImageDataset, readTarget } from './image-dataset.ts';
import { memoryStore } from './memory-store.ts';

/** Options of `generatedImages`. */
export interface GeneratedImagesOptions {
  /** Number of classes, 1 to 256; default 10. The first 16 have one pattern each, the others combine two. */
  readonly classes?: number;
  /** Images of each class; default 500. */
  readonly imagesPerClass?: number;
  /** Side of an image, pixels; default 64. */
  readonly size?: number;
  /** Seed of the images; another seed makes other images of the same classes; default 0. */
  readonly seed?: number | string;
  /** `train` (default) and `val` have no image in common. */
  readonly split?: 'train' | 'val';
  /** Images are kept up to this many bytes in all; images beyond it are made again at each read. Default 268,435,456. */
  readonly memoryLimit?: number;
}

/**
 * Generates a labelled data set, for machines without images.
 *
 * A class is a pattern (rows, checks, rings, crosses ...). Colours, scale, position, a slight rotation, light and noise are drawn for each image. Colour says nothing about the class, so an encoder must learn form.
 * An image depends only on seed, split and index, and is made when it is first read.
 *
 * @returns the data set; there is nothing to close.
 * @throws RangeError for an option out of range.
 * @example
 * ```ts
 * import { generatedImages } from '@tfjs-ssl/datasets';
 *
 * const dataset = generatedImages({ classes: 10, imagesPerClass: 500, size: 64, seed: 1 });
 * const pixels = await dataset.read([0, 500]); // one image of each of the first two classes
 * console.log(dataset.classNames.slice(0, 2), pixels.length);
 * ```
 */
export function generatedImages(options: GeneratedImagesOptions = {}): ImageDataset {
  const { classes = 10, imagesPerClass = 500, size = 64, seed = 0, split = 'train' } = options;
  const most = patternFamilies.length ** 2;
  checkClasses('generatedImages', classes, most);
  checkImagesPerClass('generatedImages', imagesPerClass);
  checkSize('generatedImages', size);
  checkSplit('generatedImages', split);
  const length = classes * imagesPerClass;
  const imageBytes = size * size * 3;
  const kept = length * imageBytes <= (options.memoryLimit ?? 2 ** 28) ? new Uint8Array(length * imageBytes) : null;
  const made = new Uint8Array(length);
  const make = (index: number, out: Uint8Array) => {
    const random = seedrandom.alea(`generated images, seed ${seed}, ${split}, image ${index}`);
    drawImage(patternsOf(Math.floor(index / imagesPerClass)), size, random, out);
  };
  const keep = (index: number, pixels: Uint8Array) => {
    if (!made[index]) make(index, pixels.subarray(index * imageBytes, (index + 1) * imageBytes));
    made[index] = 1;
  };
  return {
    name: 'generated',
    split,
    length,
    imageShape: [size, size, 3],
    classNames: Array.from({ length: classes }, (_, i) => className(i)),
    labels: Int32Array.from({ length }, (_, i) => Math.floor(i / imagesPerClass)),
    skipped: [],
    async read(indices, out) {
      const target = readTarget(indices, out, length, imageBytes);
      const positions = Int32Array.from(indices);
      if (kept) {
        for (const index of positions) keep(index, kept);
        await memoryStore(kept, imageBytes).read(positions, target);
      } else {
        positions.forEach((index, i) => {
          make(index, target.subarray(i * imageBytes, (i + 1) * imageBytes));
        });
      }
      return target;
    },
    async close() {},
  };
}

/** Classes below 16 have one pattern; class 16 + n lays the n-th pair of different patterns over each other. */
function familiesOf(label: number): ReadonlyArray<readonly [string, PatternFamily]> {
  const count = patternFamilies.length;
  if (label < count) return [patternFamilies[label]!];
  const ground = (label - count) % count;
  const over = (ground + 1 + Math.floor((label - count) / count)) % count;
  return [patternFamilies[ground]!, patternFamilies[over]!];
}

const patternsOf = (label: number): PatternFamily[] => familiesOf(label).map(([, family]) => family);
const className = (label: number): string =>
  familiesOf(label)
    .map(([name]) => name)
    .join(' under ');

type Colour = readonly [number, number, number];

/** Draws the patterns over one another, each in its own colour, then light and noise; uint8 RGB. */
function drawImage(families: readonly PatternFamily[], size: number, random: () => number, out: Uint8Array): void {
  const colours = distinctColours(families.length + 1, random);
  const canvas = new Float32Array(size * size * 3);
  for (let at = 0; at < canvas.length; at += 3) canvas.set(colours[0]!, at);
  for (const [i, family] of families.entries())
    paint(canvas, size, family(random), place(size, random), colours[i + 1]!);
  finish(canvas, size, random, out);
}

function paint(canvas: Float32Array, size: number, field: Pattern, placement: Placement, colour: Colour): void {
  const { period, cos, sin, shiftU, shiftV } = placement;
  const [red, green, blue] = colour;
  for (let y = 0, at = 0; y < size; y++) {
    for (let x = 0; x < size; x++, at += 3) {
      const distance = field((x * cos + y * sin) / period + shiftU, (y * cos - x * sin) / period + shiftV);
      // One pixel wide edges: the distance is in periods.
      const cover = Math.min(1, Math.max(0, distance * period + 0.5));
      canvas[at]! += (red - canvas[at]!) * cover;
      canvas[at + 1]! += (green - canvas[at + 1]!) * cover;
      canvas[at + 2]! += (blue - canvas[at + 2]!) * cover;
    }
  }
}

/** Light that falls off to one side, and noise of a strength of the image's own. */
function finish(canvas: Float32Array, size: number, random: () => number, out: Uint8Array): void {
  const [lightX, lightY] = [(random() - 0.5) * 0.8, (random() - 0.5) * 0.8];
  const amplitude = 10 + random() * 30;
  let bits = Math.floor(random() * 2 ** 32) | 1;
  const noise = (shift: number) => (((bits >>> shift) & 1023) / 511.5 - 1) * amplitude;
  const bytes = new Uint8ClampedArray(out.buffer, out.byteOffset, out.length);
  for (let y = 0, at = 0; y < size; y++) {
    for (let x = 0; x < size; x++, at += 3) {
      const light = 1 + lightX * (x / size - 0.5) + lightY * (y / size - 0.5);
      // One xorshift draw gives three values of 10 bits.
      bits ^= bits << 13;
      bits ^= bits >>> 17;
      bits ^= bits << 5;
      bytes[at] = canvas[at]! * light + noise(0);
      bytes[at + 1] = canvas[at + 1]! * light + noise(10);
      bytes[at + 2] = canvas[at + 2]! * light + noise(20);
    }
  }
}

interface Placement {
  /** Pixels. */
  readonly period: number;
  readonly cos: number;
  readonly sin: number;
  readonly shiftU: number;
  readonly shiftV: number;
}

/** Scale, slight rotation and position of a pattern; the origin lies near the middle of the image. */
function place(size: number, random: () => number): Placement {
  const period = size * (0.16 + 0.14 * random());
  const angle = (random() - 0.5) * 0.3;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const middle = size / 2 / period;
  return {
    period,
    cos,
    sin,
    shiftU: -middle * (cos + sin) + random() - 0.5,
    shiftV: -middle * (cos - sin) + random() - 0.5,
  };
}

/**
 * Muted colours, 0 to 255, each at least 110 away from the one before it.
 *
 * Muted, because two free colours would tell any image of a batch from the others, and contrastive learning would end there.
 */
function distinctColours(count: number, random: () => number): Colour[] {
  const colours: Colour[] = [];
  while (colours.length < count) {
    const gray = random() * 255;
    const channel = () => Math.min(255, Math.max(0, gray + (random() - 0.5) * 50));
    const next: Colour = [channel(), channel(), channel()];
    const last = colours.at(-1);
    if (!last || Math.hypot(next[0] - last[0], next[1] - last[1], next[2] - last[2]) >= 110) colours.push(next);
  }
  return colours;
}
