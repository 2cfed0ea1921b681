import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';

/** Number of rows to read together, because all rows might not fit into memory. */
const ROWS_AT_ONCE = 8192;

/** Throws unless `features` is float32 of shape [rows >= 1, columns >= 1]. */
export function checkFeatures(fn: string, argument: string, features: tf.Tensor): void {
  if (features.rank !== 2 || features.size === 0 || features.dtype !== 'float32') {
    throw argumentError({
      fn,
      argument,
      required: 'be float32 of shape [rows, columns]',
      got: features.shape,
      shown: `${features.dtype} of shape [${features.shape.join(', ')}]`,
      advice: 'Pass one row of features per image.',
    });
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
      throw argumentError({
        fn,
        argument,
        required: 'be finite',
        got: Number.NaN,
        shown: `NaN or infinity in row ${start + bad}`,
        advice: 'The encoder has diverged, or its input was not finite.',
      });
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
    throw argumentError({
      fn,
      argument,
      required: `hold one label per row of features, ${rows}`,
      got: labels.length,
      advice: 'Pass both of the same images.',
    });
  }
  for (let row = 0; row < rows; row++) {
    const label = labels[row] as number;
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw argumentError({
        fn,
        argument,
        required: `be integers in [0, ${classes})`,
        got: label,
        shown: `${label} in row ${row}`,
        advice: 'Number the classes from 0 and set `classes`.',
      });
    }
  }
}

/** Throws unless at least two classes have labels: with one alone every answer is right. */
export function checkSeveralClasses(fn: string, argument: string, labels: ArrayLike<number>): void {
  const first = labels[0];
  for (let row = 1; row < labels.length; row++) if (labels[row] !== first) return;
  throw argumentError({
    fn,
    argument,
    required: 'hold at least two classes',
    got: first,
    shown: `class ${first} alone`,
    advice: 'With one class every answer is right: take images of others, too.',
  });
}
