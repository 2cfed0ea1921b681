import type * as tf from '@tensorflow/tfjs-core';
import { checkNumber } from '@tfjs-ssl/checks';

/** Throws unless `projections` is float32 of shape [2N, D] with N >= 1 and D >= 1. */
export function checkProjections(fn: string, projections: tf.Tensor): void {
  const shape = `shape [${projections.shape.join(', ')}]`;
  if (projections.rank !== 2) {
    throw new RangeError(
      `${fn}: projections must have rank 2, one row per view, got ${shape}. Flatten or pool each view to a vector first.`,
    );
  }
  const [rows, columns] = projections.shape as [number, number];
  if (rows % 2 !== 0) {
    throw new RangeError(
      `${fn}: projections must have an even number of rows (two views per image), got ${shape}. Concatenate both views first.`,
    );
  }
  if (rows < 2 || columns < 1) {
    throw new RangeError(
      `${fn}: projections must have at least 2 rows and 1 column, got ${shape}. Pass the two views of at least one image.`,
    );
  }
  if (projections.dtype !== 'float32') {
    throw new TypeError(
      `${fn}: projections must be float32, got ${projections.dtype}. The loss is computed in float32 whatever the precision of the step: cast first.`,
    );
  }
}

/** Throws unless `temperature` is finite and positive. */
export function checkTemperature(fn: string, temperature: number): void {
  checkNumber(fn, 'temperature', temperature, { above: 0 }, 'Usual values lie between 0.05 and 1.');
}

/** Throws unless a tensor is float32 of shape [N, D], with the given number of columns, if one is given. */
export function checkVectors(fn: string, argument: string, vectors: tf.Tensor, columns?: number): void {
  const shape = `shape [${vectors.shape.join(', ')}]`;
  if (vectors.rank !== 2 || vectors.size === 0) {
    throw new RangeError(
      `${fn}: ${argument} must have rank 2 and at least 1 row and 1 column, got ${shape}. Flatten or pool each view to a vector first.`,
    );
  }
  if (columns !== undefined && vectors.shape[1] !== columns) {
    throw new RangeError(
      `${fn}: ${argument} must have rows of ${columns} elements, got ${shape}. All vectors come from heads of one output size.`,
    );
  }
  if (vectors.dtype !== 'float32') {
    throw new TypeError(
      `${fn}: ${argument} must be float32, got ${vectors.dtype}. The loss is computed in float32 whatever the precision of the step: cast first.`,
    );
  }
}

/** Throws unless `projections` are the two views of at least two images: with one, no statistic over a batch says anything. */
export function checkBatch(fn: string, projections: tf.Tensor): void {
  checkProjections(fn, projections);
  if (projections.shape[0] === 2) {
    throw new RangeError(
      `${fn}: projections must be of at least 2 images, got shape [${projections.shape.join(', ')}]. The loss compares the images of a batch: use a larger one.`,
    );
  }
}
