import * as tf from '@tensorflow/tfjs-core';

/** Rows that are looked at together where a whole set would not fit. */
const ROWS_AT_ONCE = 8192;

/** Throws unless `features` is float32 of shape [rows >= 1, columns >= 1]. */
export function checkFeatures(fn: string, argument: string, features: tf.Tensor): void {
  if (features.rank !== 2 || features.size === 0 || features.dtype !== 'float32') {
    throw new RangeError(
      `${fn}: ${argument} must be float32 of shape [rows, columns], got ${features.dtype} of shape [${features.shape.join(', ')}]. Pass one row of features per image.`,
    );
  }
}

/** Throws unless every feature is finite. Reads one number per row back. */
export async function checkFinite(fn: string, argument: string, features: tf.Tensor2D): Promise<void> {
  const [rows, columns] = features.shape;
  for (let start = 0; start < rows; start += ROWS_AT_ONCE) {
    const count = Math.min(ROWS_AT_ONCE, rows - start);
    const largest = tf.tidy(() => tf.sum(tf.abs(tf.slice(features, [start, 0], [count, columns])), 1));
    const bad = (await largest.data()).findIndex((value) => !Number.isFinite(value));
    largest.dispose();
    if (bad >= 0) {
      throw new RangeError(
        `${fn}: ${argument} must be finite, got NaN or infinity in row ${start + bad}. The encoder has diverged, or its input was not finite.`,
      );
    }
  }
}

/** Throws unless there is one label per row, each an integer in [0, classes). */
export function checkLabels(
  fn: string,
  argument: string,
  labels: ArrayLike<number>,
  rows: number,
  classes: number,
): void {
  if (labels.length !== rows) {
    throw new RangeError(
      `${fn}: ${argument} must hold one label per row of features, ${rows}, got ${labels.length}. Pass both of the same images.`,
    );
  }
  for (let row = 0; row < rows; row++) {
    const label = labels[row] as number;
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new RangeError(
        `${fn}: ${argument} must be integers in [0, ${classes}), got ${label} in row ${row}. Number the classes from 0 and set \`classes\`.`,
      );
    }
  }
}

/** Throws unless the value is an integer in [least, most]. */
export function checkCount(
  fn: string,
  option: string,
  value: number,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  const range = most === Number.MAX_SAFE_INTEGER ? `>= ${least}` : `in [${least}, ${most}]`;
  throw new RangeError(`${fn}: ${option} must be an integer ${range}, got ${value}. Choose one in that range.`);
}

/** Throws unless the value is finite and > 0. */
export function checkPositive(fn: string, option: string, value: number): void {
  if (value > 0 && Number.isFinite(value)) return;
  throw new RangeError(
    `${fn}: ${option} must be a finite number > 0, got ${value}. Leave it out to use the default, if it has one.`,
  );
}
