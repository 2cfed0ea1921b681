import * as tf from '@tensorflow/tfjs-core';
import { argumentError, showTensor } from '@tfjs-ssl/checks';
import { checkParameterLists } from './contract/check-parameter-lists.ts';
import { hasKernel } from './contract/has-kernel.ts';
import { runKernel } from './contract/run-kernel.ts';
import { unshare } from './unshare.ts';

/**
 * One step of an exponential moving average of many tensors, in place.
 *
 *     a <- a + share (x - a)          share = 1 - momentum
 *
 * A share of 0.5 or more is computed from the other end, x - (1 - share) (x - a), as `torch.lerp` does: share 1 copies x exactly, and an
 * average that equals x stays the same bits.
 *
 * What changes from step to step comes in as a tensor, so that a captured step can be replayed. It is the share and not the momentum, because
 * float32 has few digits left for 1 - momentum near 1. An engine may implement the op as the kernel `EmaUpdate`: inputs `average0..`,
 * `value0..` and `share`; `count` as attribute; no outputs. The kernel writes averages in place; a variable whose memory is shared (the tensor it was
 * made from, a clone) gets memory of its own first, so that only the variable changes.
 *
 * @param averages - a, float32; changed in place.
 * @param values - x, in the order and shapes of `averages`; not changed.
 * @param share - weight of the new values, one number in [0, 1], float32; the caller sees to the range.
 * @throws RangeError if the lists differ in length or shapes, or `share` has more than one element.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { emaUpdate } from '@tfjs-ssl/ops';
 *
 * await startEngine('auto');
 * const average = tf.variable(tf.tensor1d([0, 4]));
 * emaUpdate([average], [tf.tensor1d([1, 0])], tf.scalar(1 - 0.75));
 * console.log(await average.data()); // 0.25, 3
 * ```
 *
 * @see He et al., "Momentum Contrast" (2020), eq. 2; `torch.lerp`.
 */
export function emaUpdate(averages: readonly tf.Variable[], values: readonly tf.Tensor[], share: tf.Tensor): void {
  checkParameterLists('emaUpdate', averages, { values });
  if (share.size !== 1 || share.dtype !== 'float32') {
    throw argumentError({
      fn: 'emaUpdate',
      argument: 'share',
      required: 'be one float32 number',
      got: share.shape,
      shown: showTensor(share),
      advice: 'Pass 1 - momentum as a scalar.',
    });
  }
  if (hasKernel('EmaUpdate')) {
    const inputs: tf.NamedTensorMap = { share };
    averages.forEach((average, i) => {
      unshare(average);
      inputs[`average${i}`] = average;
      inputs[`value${i}`] = values[i] as tf.Tensor;
    });
    runKernel('EmaUpdate', inputs, { count: averages.length });
    return;
  }
  tf.tidy(() => {
    const scalar = tf.reshape(share, []);
    const fromValue = tf.greaterEqual(scalar, 0.5);
    const factor = tf.where(fromValue, tf.sub(scalar, 1), scalar);
    averages.forEach((average, i) => {
      tf.tidy(() => {
        const value = values[i] as tf.Tensor;
        const start = tf.where(fromValue, value, average);
        average.assign(tf.add(start, tf.mul(tf.sub(value, average), factor)));
      });
    });
  });
}
