import * as tf from '@tensorflow/tfjs-core';

/** Rows [start, start + count) of `features`, each of unit length (zero rows stay zero). */
export function unitRows(features: tf.Tensor2D, start: number, count: number): tf.Tensor2D {
  const rows = tf.slice(features, [start, 0], [count, features.shape[1]]);
  return tf.div(rows, tf.maximum(tf.sqrt(tf.sum(tf.square(rows), 1, true)), 1e-12));
}
