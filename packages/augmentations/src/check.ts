import * as tf from '@tensorflow/tfjs-core';

/** Height and width of an image, pixels. */
export type ImageSize = readonly [height: number, width: number];

/** A parameter of a batch of N images: one number for all of them, or N numbers, one per image. */
export type PerImage = number | readonly number[] | tf.Tensor1D;

/** What the numbers of a parameter must be. Those of a tensor are not read back, so they are not checked. */
export interface NumberRule {
  readonly above?: number;
  readonly min?: number;
  readonly max?: number;
  readonly integer?: boolean;
}

const describeRule = ({ above, min, max, integer }: NumberRule): string => {
  const range =
    above !== undefined
      ? ` above ${above}`
      : min !== undefined && max !== undefined
        ? ` in [${min}, ${max}]`
        : min !== undefined
          ? ` of at least ${min}`
          : '';
  return `${integer ? 'integers' : 'finite numbers'}${range}`;
};

const obeys = (value: number, rule: NumberRule): boolean => {
  const { above = Number.NEGATIVE_INFINITY, min = above, max = Number.POSITIVE_INFINITY, integer = false } = rule;
  return (
    Number.isFinite(value) && value > above && value >= min && value <= max && (!integer || Number.isInteger(value))
  );
};

/** Whether a per-image parameter is a tensor. */
export const isTensor = (value: PerImage): value is tf.Tensor1D => typeof value === 'object' && 'dtype' in value;

/** Throws where a plain number breaks its rule. */
export function checkNumber(fn: string, argument: string, value: number, rule: NumberRule, advice: string): void {
  if (typeof value !== 'number' || !obeys(value, rule)) {
    const what = describeRule(rule).replace('finite numbers', 'a finite number').replace('integers', 'an integer');
    throw new RangeError(`${fn}: ${argument} must be ${what}, got ${value}. ${advice}`);
  }
}

/** Throws where a probability is not one. */
export function checkProbability(fn: string, p: number): void {
  checkNumber(fn, 'p', p, { min: 0, max: 1 }, 'It is the probability with which an image is transformed.');
}

/** Throws where an interval is not two numbers of the rule in ascending order. */
export function checkInterval(
  fn: string,
  argument: string,
  interval: readonly [number, number],
  rule: NumberRule,
): void {
  const [low, high] = interval;
  if (interval.length !== 2 || !obeys(low, rule) || !obeys(high, rule) || low > high) {
    throw new RangeError(
      `${fn}: ${argument} must be an ascending pair of ${describeRule(rule)}, got [${interval}]. Pass [smallest, largest].`,
    );
  }
}

/** Throws where something is not a batch of float32 images; with `'colors'`, of RGB or one-channel ones. */
export function checkImages(fn: string, images: tf.Tensor4D, channels?: 'colors'): void {
  if (images.rank !== 4 || (channels && images.shape[3] !== 3 && images.shape[3] !== 1)) {
    throw new RangeError(
      `${fn}: images must have shape ${channels ? '[N, H, W, 3] or [N, H, W, 1]' : '[N, H, W, C]'}, got [${images.shape}]. Add the batch axis to a single image; give ${channels ? 'RGB or gray, ' : ''}channels last.`,
    );
  }
  if (images.dtype !== 'float32') {
    throw new TypeError(
      `${fn}: images must be float32 in [0, 1], got ${images.dtype}. Convert them: tf.div(tf.cast(images, 'float32'), 255).`,
    );
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
): tf.Tensor4D {
  const count = images.shape[0];
  if (isTensor(value)) {
    if (value.rank !== 1 || value.shape[0] !== count) {
      throw new RangeError(
        `${fn}: ${argument} must have shape [${count}], one number per image, got [${value.shape}]. Pass one number to treat all images alike.`,
      );
    }
    return tf.reshape(tf.cast(value, 'float32'), [count, 1, 1, 1]);
  }
  const values = typeof value === 'number' ? [value] : [...value];
  if (typeof value !== 'number' && values.length !== count) {
    throw new RangeError(
      `${fn}: ${argument} must be one number or ${count}, one per image, got ${values.length}. Pass one number to treat all images alike.`,
    );
  }
  const wrong = values.findIndex((v) => !obeys(v, rule));
  if (wrong >= 0) {
    throw new RangeError(
      `${fn}: ${argument} must be ${describeRule(rule)}, got ${values[wrong]}${values.length > 1 ? ` for image ${wrong}` : ''}. Correct it.`,
    );
  }
  return tf.tensor4d(values, [values.length, 1, 1, 1], 'float32');
}
