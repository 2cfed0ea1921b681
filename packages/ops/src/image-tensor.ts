import * as tf from '@tensorflow/tfjs-core';
import { argumentError, showKind, showValue } from '@tfjs-ssl/checks';

/** The float32 value of every byte, as torchvision's ToTensor has it: fround(byte / 255). */
const unit = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/**
 * Converts bytes to float images.
 *
 *     output = fround(byte / 255)
 *
 * It looks the values up in a table, which is many times faster than `Float32Array.from(bytes, (byte) => byte / 255)`. The result is the same on every engine.
 *
 * @param pixels - the images one after another, row by row, values from 0 to 255.
 * @param shape - [N, height, width, channels].
 * @returns a new tensor of the shape, float32 in [0, 1], which the caller (or the surrounding `tf.tidy`) disposes.
 * @throws RangeError if the number of bytes does not fit the shape; TypeError if the pixels are not bytes.
 *
 * @example
 * ```ts
 * import { imageTensor } from '@tfjs-ssl/augmentations';
 * import { startEngine } from '@tfjs-ssl/engine';
 *
 * await startEngine('auto');
 * const images = imageTensor(Uint8Array.of(0, 51, 255), [1, 1, 1, 3]);
 * console.log(await images.data()); // [0, 0.2, 1] in float32
 * ```
 *
 * @see `torchvision.transforms.ToTensor`
 */
export function imageTensor(
  pixels: Uint8Array | Uint8ClampedArray,
  shape: readonly [images: number, height: number, width: number, channels: number],
): tf.Tensor4D {
  if (!(pixels instanceof Uint8Array || pixels instanceof Uint8ClampedArray)) {
    throw argumentError({
      kind: 'type',
      fn: 'imageTensor',
      argument: 'pixels',
      required: 'be a Uint8Array or Uint8ClampedArray',
      got: pixels,
      shown: showKind(pixels),
      advice: 'For floats, use tf.tensor4d.',
    });
  }
  const size = tf.util.sizeFromShape([...shape]);
  if (pixels.length !== size) {
    throw argumentError({
      fn: 'imageTensor',
      argument: 'pixels',
      required: `hold ${size} bytes for shape ${showValue(shape)}`,
      got: pixels.length,
      advice: 'Check the shape.',
    });
  }
  const values = new Float32Array(size);
  for (let i = 0; i < size; i++) values[i] = unit[pixels[i] as number] as number;
  return tf.tensor4d(values, [...shape]);
}
