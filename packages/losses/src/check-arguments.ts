import type * as tf from '@tensorflow/tfjs-core';
import { argumentError, checkNumber, showValue } from '@tfjs-ssl/checks';

const pool = 'Flatten or pool each view to a vector first.';

/** Throws unless `projections` is float32 of shape [2N, D] with N >= 1 and D >= 1. */
export function checkProjections(fn: string, projections: tf.Tensor): void {
  const got = projections.shape;
  const shown = `shape ${showValue(got)}`;
  const [rows, columns] = got as [number, number];
  if (projections.rank !== 2) {
    throw argumentError({
      fn,
      argument: 'projections',
      required: 'have rank 2, one row per view',
      got,
      shown,
      advice: pool,
    });
  }
  if (rows % 2 !== 0) {
    throw argumentError({
      fn,
      argument: 'projections',
      required: 'have an even number of rows, two views per image',
      got,
      shown,
      advice: 'Concatenate both views first.',
    });
  }
  if (rows < 2 || columns < 1) {
    throw argumentError({
      fn,
      argument: 'projections',
      required: 'have at least 2 rows and 1 column',
      got,
      shown,
      advice: 'Pass the two views of at least one image.',
    });
  }
  checkFloat32(fn, 'projections', projections);
}

/** Throws unless `temperature` is finite and positive. */
export function checkTemperature(fn: string, temperature: number): void {
  checkNumber(fn, 'temperature', temperature, { above: 0 }, 'Usual values lie between 0.05 and 1.');
}

/** Throws unless a tensor is float32 of shape [N, D], with the given number of columns, if one is given. */
export function checkVectors(fn: string, argument: string, vectors: tf.Tensor, columns?: number): void {
  const got = vectors.shape;
  const shown = `shape ${showValue(got)}`;
  if (vectors.rank !== 2 || vectors.size === 0) {
    const required = 'have rank 2 and at least 1 row and 1 column';
    throw argumentError({ fn, argument, required, got, shown, advice: pool });
  }
  if (columns !== undefined && got[1] !== columns) {
    const advice = 'Use heads of one output size for all vectors.';
    throw argumentError({ fn, argument, required: `have rows of ${columns} elements`, got, shown, advice });
  }
  checkFloat32(fn, argument, vectors);
}

/** Throws unless `projections` are the two views of at least two images: with one, no statistic over a batch says anything. */
export function checkBatch(fn: string, projections: tf.Tensor): void {
  checkProjections(fn, projections);
  if (projections.shape[0] !== 2) return;
  throw argumentError({
    fn,
    argument: 'projections',
    required: 'hold two views of at least 2 images',
    got: projections.shape,
    shown: `shape ${showValue(projections.shape)}`,
    advice: 'The loss compares the images of a batch: use a larger batch.',
  });
}

function checkFloat32(fn: string, argument: string, { dtype }: tf.Tensor): void {
  if (dtype === 'float32') return;
  throw argumentError({
    kind: 'type',
    fn,
    argument,
    required: 'be float32',
    got: dtype,
    shown: dtype,
    advice: "Cast it with tf.cast(x, 'float32'): the loss is computed in float32 at every precision of the step.",
  });
}
