import * as tf from '@tensorflow/tfjs-core';
import { argumentError, checkNumber, describeRule, type NumberRule, obeys } from '@tfjs-ssl/checks';

/** Height and width of an image, pixels. */
export type ImageSize = readonly [height: number, width: number];

/** A parameter of a batch of N images: one number for all of them, or N numbers, one per image. */
export type PerImage = number | readonly number[] | tf.Tensor1D;

/** Whether a per-image parameter is a tensor. */
export const isTensor = (value: PerImage): value is tf.Tensor1D => typeof value === 'object' && 'dtype' in value;

/** Throws if a probability is not one. */
export function checkProbability(fn: string, p: number): void {
  checkNumber(fn, 'p', p, { min: 0, max: 1 }, 'It is the probability with which an image is transformed.');
}

/** Throws if an interval is not two numbers of the rule in ascending order. */
export function checkInterval(
  fn: string,
  argument: string,
  interval: readonly [number, number],
  rule: NumberRule,
): void {
  const [low, high] = interval;
  if (interval.length !== 2 || !obeys(low, rule) || !obeys(high, rule) || low > high) {
    throw argumentError({
      fn,
      argument,
      required: `be an ascending pair of ${describeRule(rule, true)}`,
      got: interval,
      advice: 'Pass [smallest, largest].',
    });
  }
}

/** Throws if something is not a batch of float32 images; with `'colors'`, of RGB or one-channel ones. */
export function checkImages(fn: string, images: tf.Tensor4D, channels?: 'colors'): void {
  if (images.rank !== 4 || (channels && images.shape[3] !== 3 && images.shape[3] !== 1)) {
    throw argumentError({
      fn,
      argument: 'images',
      required: `have shape ${channels ? '[N, H, W, 3] or [N, H, W, 1]' : '[N, H, W, C]'}`,
      got: images.shape,
      advice: `Add the batch axis to a single image; give ${channels ? 'RGB or gray, ' : ''}channels last.`,
    });
  }
  if (images.dtype !== 'float32') {
    throw argumentError({
      kind: 'type',
      fn,
      argument: 'images',
      required: 'be float32 in [0, 1]',
      got: images.dtype,
      shown: images.dtype,
      advice: "Convert them: tf.div(tf.cast(images, 'float32'), 255).",
    });
  }
}

/** Height and width out of one number (a square) or two. */
export function toImageSize(fn: string, argument: string, size: number | ImageSize): ImageSize {
  const [height, width] = typeof size === 'number' ? [size, size] : size;
  for (const extent of [height, width]) {
    checkNumber(
      fn,
      argument,
      extent,
      { min: 1, integer: true },
      'Give pixels: one number for a square, or [height, width].',
    );
  }
  return [height, width];
}

/** A per-image parameter as a float32 tensor that broadcasts over images: shape [N, 1, 1, 1], or [1, 1, 1, 1] for one number. */
export function perImage(
  fn: string,
  argument: string,
  value: PerImage,
  images: tf.Tensor4D,
  rule: NumberRule = {},
  advice = 'Correct it.',
): tf.Tensor4D {
  const count = images.shape[0];
  if (isTensor(value)) {
    if (value.rank !== 1 || value.shape[0] !== count) {
      throw argumentError({
        fn,
        argument,
        required: `have shape [${count}], one number per image`,
        got: value.shape,
        advice: 'Pass one number to treat all images alike.',
      });
    }
    return tf.reshape(tf.cast(value, 'float32'), [count, 1, 1, 1]);
  }
  const values = typeof value === 'number' ? [value] : [...value];
  if (typeof value !== 'number' && values.length !== count) {
    throw argumentError({
      fn,
      argument,
      required: `be one number or ${count}, one per image`,
      got: values.length,
      advice: 'Pass one number to treat all images alike.',
    });
  }
  const wrong = values.findIndex((v) => !obeys(v, rule));
  if (wrong >= 0) {
    const got = values[wrong];
    const shown = `${got}${values.length > 1 ? ` for image ${wrong}` : ''}`;
    throw argumentError({ fn, argument, required: `be ${describeRule(rule, true)}`, got, shown, advice });
  }
  return tf.tensor4d(values, [values.length, 1, 1, 1], 'float32');
}
