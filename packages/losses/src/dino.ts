import * as tf from '@tensorflow/tfjs-core';
import { argumentError, checkNumber, showTensor } from '@tfjs-ssl/checks';

import { checkCrossedViews, crossedViews } from './crossed-views.ts';
import { checkCenter } from './dino-center.ts';

/** Options of {@link dino}. */
export interface DINOOptions {
  /** Subtracted from the teacher's logits, shape [K], float32. Zeros at the first step; then the result of {@link dinoCenter}. */
  readonly center: tf.Tensor1D;
  /**
   * Divisor of the teacher's centred logits, a finite number > 0 or a scalar tensor. In a compiled step, pass a tensor, because the value changes from step to
   * step. See {@link dinoTeacherTemperature}.
   */
  readonly teacherTemperature: number | tf.Scalar;
  /** Divisor of the student's logits, a finite number > 0. Default 0.1. */
  readonly studentTemperature?: number;
  /** Number of views that the student sees, V, an integer >= 2. With multi-crop, the small crops come last. Default 2. */
  readonly views?: number;
}

/**
 * DINO: from each view, the student predicts the teacher's output for the other views, centred and sharpened.
 *
 *     loss = -1 / (A (V - 1) N) sum_{a < A} sum_{v != a} sum_n t_an . log softmax(student_vn / studentTemperature),
 *     t = softmax((teacher - center) / teacherTemperature)
 *
 * The student sees V views of N images; the teacher sees the first A of these views. No gradient flows to the teacher, its center or its temperature.
 *
 * The function keeps no state. After the loss, compute the center of the next step from this step's teacher with {@link dinoCenter}.
 *
 * Memory: the targets, and copies of the logits of one view.
 *
 * @param student - shape [V N, K], float32, view after view.
 * @param teacher - shape [A N, K], float32, 1 <= A <= V, view after view.
 * @param options - the center, the temperatures and the number of views.
 * @returns a scalar, float32, in nats; the caller disposes it.
 * @throws RangeError if shapes do not fit together or a number is out of range; TypeError if a tensor is not float32.
 * @example
 * ```ts
 * import { dino, dinoCenter, dinoTeacherTemperature } from '@tfjs-ssl/losses';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const student = tf.randomNormal<tf.Rank.R2>([2 * 32, 64]);
 * const teacher = tf.randomNormal<tf.Rank.R2>([2 * 32, 64]);
 * const center = tf.zeros<tf.Rank.R1>([64]);
 * const teacherTemperature = dinoTeacherTemperature(0, { warmupSteps: 1000 });
 * const loss = dino(student, teacher, { center, teacherTemperature });
 * const next = dinoCenter(center, teacher); // for the next step
 * console.log(await loss.array(), next.shape);
 * ```
 * @see Caron et al. 2021, "Emerging Properties in Self-Supervised Vision Transformers", eq. 1 to 4 and algorithm 1. It equals the loss of facebookresearch/dino, lightly's
 * `DINOLoss` and solo-learn's; these keep the center and the temperature's schedule as state.
 */
export function dino(student: tf.Tensor2D, teacher: tf.Tensor2D, options: DINOOptions): tf.Scalar {
  const { center, teacherTemperature, studentTemperature = 0.1, views = 2 } = options;
  checkNumber('dino', 'studentTemperature', studentTemperature, { above: 0 }, 'The paper takes 0.1.');
  checkTeacherTemperature(teacherTemperature);
  checkCrossedViews('dino', ['student', 'teacher'], student, teacher, views);
  checkCenter('dino', center, teacher);
  return tf.tidy(() => {
    const targets = tf.softmax(tf.div(tf.sub(teacher, center), teacherTemperature)) as tf.Tensor2D;
    return crossedViews(student, targets, views, studentTemperature);
  });
}

function checkTeacherTemperature(temperature: number | tf.Scalar): void {
  if (typeof temperature === 'number') {
    checkNumber('dino', 'teacherTemperature', temperature, { above: 0 }, 'The paper takes 0.04 to 0.07.');
  } else if (temperature.size !== 1 || temperature.dtype !== 'float32') {
    throw argumentError({
      fn: 'dino',
      argument: 'teacherTemperature',
      required: 'be a number or a float32 scalar',
      got: temperature.shape,
      shown: showTensor(temperature),
      advice: 'Pass one temperature for all rows.',
    });
  }
}
