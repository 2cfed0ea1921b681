import { checkInterval, type ImageSize, toImageSize } from './check.ts';
import type { Rng } from './image-rng.ts';
import { resizedCrop } from './resized-crop.ts';
import { defineTransform, type Parameters, type Transform } from './transform.ts';
import { uniform, uniformInteger } from './uniform.ts';

/** Options of {@link randomResizedCrop}. */
export interface RandomResizedCropOptions {
  /** Size of the result, pixels: one number for a square, or [height, width]. */
  readonly size: number | ImageSize;
  /** Smallest and largest area of the crop, fractions of the image's area. Default: [0.08, 1]. */
  readonly scale?: readonly [number, number];
  /** Smallest and largest ratio of the crop's width to its height. Default: [3/4, 4/3]. */
  readonly ratio?: readonly [number, number];
  /** Whether to widen the filter when the crop shrinks. Default: true. */
  readonly antialias?: boolean;
}

type Box = Parameters<'top' | 'left' | 'height' | 'width'>;

/**
 * Cuts a box of random area, shape and place out of an image and resizes it.
 *
 * It draws up to ten boxes: the area is uniform in `scale`, the logarithm of width / height is uniform in that of `ratio`, and both sides
 * are rounded. The first box that fits gets a uniform place. If none fits, it takes the largest central box of an allowed ratio.
 *
 * @param options - see {@link RandomResizedCropOptions}.
 * @returns the transform; columns `top`, `left`, `height`, `width`, pixels of the image that comes in.
 * @throws RangeError if the size is not one of whole pixels, or an interval is not ascending and above 0.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { imageRng, randomResizedCrop } from '@tfjs-ssl/augmentations';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * const crop = randomResizedCrop({ size: 32, scale: [0.2, 1] });
 * const box = crop.sample(imageRng({ seed: 0, epoch: 0, image: 0, view: 0 }), [64, 64]);
 * console.log(box, crop.apply(tf.ones([1, 64, 64, 3]), [box]).shape); // [1, 32, 32, 3]
 * ```
 *
 * @see `torchvision.transforms.RandomResizedCrop`
 */
export function randomResizedCrop(options: RandomResizedCropOptions): Transform {
  const { scale = [0.08, 1], ratio = [3 / 4, 4 / 3], antialias = true } = options;
  const size = toImageSize('randomResizedCrop', 'size', options.size);
  checkInterval('randomResizedCrop', 'scale', scale, { above: 0, max: 1 });
  checkInterval('randomResizedCrop', 'ratio', ratio, { above: 0 });
  return defineTransform({
    name: 'randomResizedCrop',
    columns: ['top', 'left', 'height', 'width'],
    neutral: { top: 0, left: 0, height: 1, width: 1 },
    stages: [{ kind: 'resizedCrop', size, antialias }],
    draw: (rng, imageSize) => drawBox(rng, imageSize, scale, ratio),
    apply: (images, box) => resizedCrop(images, box, { size, antialias }),
    outputSize: () => size,
  });
}

function drawBox(
  rng: Rng,
  [imageHeight, imageWidth]: ImageSize,
  scale: readonly [number, number],
  ratio: readonly [number, number],
): Box {
  const logRatio = [Math.log(ratio[0]), Math.log(ratio[1])] as const;
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = imageHeight * imageWidth * uniform(rng, scale);
    const aspect = Math.exp(uniform(rng, logRatio));
    const width = roundHalfEven(Math.sqrt(area * aspect));
    const height = roundHalfEven(Math.sqrt(area / aspect));
    if (width > 0 && width <= imageWidth && height > 0 && height <= imageHeight) {
      const top = uniformInteger(rng, imageHeight - height + 1);
      const left = uniformInteger(rng, imageWidth - width + 1);
      return { top, left, height, width };
    }
  }
  const imageRatio = imageWidth / imageHeight;
  let [height, width] = [imageHeight, imageWidth];
  if (imageRatio < ratio[0]) height = Math.max(1, roundHalfEven(imageWidth / ratio[0]));
  else if (imageRatio > ratio[1]) width = Math.max(1, roundHalfEven(imageHeight * ratio[1]));
  return { top: (imageHeight - height) >> 1, left: (imageWidth - width) >> 1, height, width };
}

/** Python's round: halves go to the even neighbour. */
function roundHalfEven(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
