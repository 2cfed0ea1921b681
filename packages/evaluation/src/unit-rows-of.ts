import * as tf from '@tensorflow/tfjs-core';
import { unitRows } from '@tfjs-ssl/ops';

/** Rows [start, start + count) of `features`, each of unit length (zero rows stay zero). */
export const unitRowsOf = (features: tf.Tensor2D, start: number, count: number): tf.Tensor2D =>
  unitRows(tf.slice(features, [start, 0], [count, features.shape[1]]));
