import * as tf from '@tensorflow/tfjs-core';
import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { checkVectors } from './check-arguments.ts';

/** Options of {@link dinoCenter}. */
export interface DINOCenterOptions {
  /** Share of the old center, in [0, 1]. Default 0.9. */
  readonly momentum?: number;
}

/**
 * The center of the teacher's logits for the next step of {@link dino}. It is a running mean, which keeps one dimension from dominating all others.
 *
 *     center' = momentum center + (1 - momentum) mean over all rows of the teacher
 *
 * Use the old center in the loss of the current step and the new one in the next step. In a training, keep the center in a variable: assign the result to it, and save it with
 * the checkpoint.
 *
 * @param center - shape [K], float32; zeros at first.
 * @param teacher - shape [R, K], float32: logits of the teacher, all views of the batch; of several ranks, those of all by `gatherViews`.
 * @param options - the momentum.
 * @returns shape [K], float32, a constant to the tape; the caller disposes it.
 * @throws RangeError if shapes do not fit together or the momentum is out of range; TypeError if a tensor is not float32.
 * @example
 * ```ts
 * import { dinoCenter } from '@tfjs-ssl/losses';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const teacher = tf.tensor2d([[1, 2], [3, 4]]);
 * console.log(await dinoCenter(tf.tensor1d([1, 1]), teacher).array()); // [1.1, 1.2]
 * ```
 * @see Caron et al. 2021, "Emerging Properties in Self-Supervised Vision Transformers", eq. 4.
 */
export function dinoCenter(center: tf.Tensor1D, teacher: tf.Tensor2D, options: DINOCenterOptions = {}): tf.Tensor1D {
  const { momentum = 0.9 } = options;
  checkVectors('dinoCenter', 'teacher', teacher);
  checkCenter('dinoCenter', center, teacher);
  checkNumber('dinoCenter', 'momentum', momentum, { min: 0, max: 1 }, 'It is the share of the old center: 0.9.');
  const run = tf.customGrad((old, rows) => ({
    value: tf.add(tf.mul(old as tf.Tensor, momentum), tf.mul(tf.mean(rows as tf.Tensor, 0), 1 - momentum)),
    gradFunc: () => [tf.zeros(center.shape), tf.zeros(teacher.shape)],
  }));
  return tf.tidy(() => run(center, teacher)) as tf.Tensor1D;
}

/** Throws unless a center is float32 with a value for each column of the teacher's logits. */
export function checkCenter(fn: string, center: tf.Tensor1D, teacher: tf.Tensor2D): void {
  const columns = teacher.shape[1];
  if (center.rank !== 1 || center.size !== columns) {
    throw argumentError({
      fn,
      argument: 'center',
      required: `have shape [${columns}], one value per column of teacher`,
      got: center.shape,
      advice: 'Start with tf.zeros.',
    });
  }
  if (center.dtype !== 'float32') {
    throw argumentError({
      kind: 'type',
      fn,
      argument: 'center',
      required: 'be float32',
      got: center.dtype,
      shown: center.dtype,
      advice: 'Start with tf.zeros.',
    });
  }
}
