import * as tf from '@tensorflow/tfjs-core';
import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { checkVectors } from './check-arguments.ts';

/**
 * Cross-entropy of every view's prediction against the targets of the other views, with a closed-form gradient.
 *
 *     loss = -1 / (A (V - 1) N) sum_a sum_{v != a} sum_n targets_an . log softmax(logits_vn / temperature)
 *
 * The maximum is removed before exponentials. Views are taken one at a time: what is held beside the arguments is of the size of one view.
 *
 * @param logits - shape [V N, K], float32, view after view.
 * @param targets - shape [A N, K], float32, those of the first A views; constants: no gradient flows to them.
 * @param views - V, at least 2.
 * @param temperature - divisor of the logits.
 * @returns a scalar, in nats; the caller disposes it.
 */
export function crossedViews(logits: tf.Tensor2D, targets: tf.Tensor2D, views: number, temperature: number): tf.Scalar {
  const images = logits.shape[0] / views;
  const terms = (targets.shape[0] / images) * (views - 1) * images;
  const run = tf.customGrad((x, save) => {
    (save as tf.GradSaveFunc)([x as tf.Tensor, targets]);
    const losses = eachView(x as tf.Tensor2D, targets, views, temperature, ({ shifted, sums }, target) =>
      tf.sub(tf.sum(tf.mul(tf.sum(target, 1, true), tf.log(sums))), tf.sum(tf.mul(target, shifted))),
    );
    return {
      value: tf.div(tf.addN(losses.filter((loss) => loss !== null)), terms),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        tf.tidy(() => {
          const [own, kept] = saved as [tf.Tensor2D, tf.Tensor2D];
          const scale = tf.div(dy, terms * temperature);
          const gradients = eachView(own, kept, views, temperature, ({ exponentials, sums }, target) =>
            tf.mul(tf.sub(tf.mul(exponentials, tf.div(tf.sum(target, 1, true), sums)), target), scale),
          );
          return tf.concat(gradients.map((gradient) => gradient ?? tf.zeros([images, own.shape[1]])));
        }),
    };
  });
  return run(logits) as tf.Scalar;
}

interface Softmax {
  /** Logits over the temperature, less the largest of their row. */
  readonly shifted: tf.Tensor;
  readonly exponentials: tf.Tensor;
  /** Their sums, shape [N, 1]. */
  readonly sums: tf.Tensor;
}

/** A result for every view, of its softmax and the sum of the other views' targets; null for a view that has no others'. */
function eachView(
  logits: tf.Tensor2D,
  targets: tf.Tensor2D,
  views: number,
  temperature: number,
  compute: (softmax: Softmax, target: tf.Tensor) => tf.Tensor,
): Array<tf.Tensor | null> {
  const images = logits.shape[0] / views;
  const targetViews = targets.shape[0] / images;
  return Array.from({ length: views }, (_, view) => {
    const others = Array.from({ length: targetViews }, (__, other) => other).filter((other) => other !== view);
    if (others.length === 0) return null;
    return tf.tidy(() => {
      const target = tf.addN(others.map((other) => tf.slice(targets, other * images, images)));
      const scaled = tf.div(tf.slice(logits, view * images, images), temperature);
      const shifted = tf.sub(scaled, tf.max(scaled, 1, true));
      const exponentials = tf.exp(shifted);
      return compute({ shifted, exponentials, sums: tf.sum(exponentials, 1, true) }, target);
    });
  });
}

/** Throws unless logits and targets are such as {@link crossedViews} takes, by the names that the loss gives them. */
export function checkCrossedViews(
  fn: string,
  names: readonly [logits: string, targets: string],
  logits: tf.Tensor2D,
  targets: tf.Tensor2D,
  views: number,
): void {
  checkNumber(fn, 'views', views, { min: 2, integer: true }, 'Each view is predicted from the others.');
  checkVectors(fn, names[0], logits);
  const [rows, columns] = logits.shape;
  if (rows % views !== 0) {
    throw argumentError({
      fn,
      argument: names[0],
      required: `have a multiple of ${views} rows, one per view of each image`,
      got: rows,
      advice: 'Concatenate the views, and pass their number as views.',
    });
  }
  checkVectors(fn, names[1], targets, columns);
  const [targetRows] = targets.shape;
  const images = rows / views;
  if (targetRows % images !== 0 || targetRows > rows) {
    throw argumentError({
      fn,
      argument: names[1],
      required: `have ${images} rows, one per image, for each of 1 to ${views} views`,
      got: targetRows,
      advice: 'Pass the first views of the same images.',
    });
  }
}
