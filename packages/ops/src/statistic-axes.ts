import type * as tf from '@tensorflow/tfjs-core';

/** All axes but the last: those over which batch normalisation takes its statistics. */
export function statisticAxes(x: tf.Tensor): number[] {
  return Array.from({ length: x.rank - 1 }, (_, axis) => axis);
}
