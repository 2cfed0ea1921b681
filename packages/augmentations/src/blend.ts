import * as tf from '@tensorflow/tfjs-core';

/** clamp(factor x + (1 - factor) pivot, 0, 1): what brightness, contrast and saturation have in common. */
export function blend(images: tf.Tensor4D, pivot: tf.Tensor | number, factor: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() =>
    tf.clipByValue(tf.add(tf.mul(images, factor), tf.mul(tf.sub(1, factor), pivot)) as tf.Tensor4D, 0, 1),
  );
}
