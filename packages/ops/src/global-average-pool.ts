import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import { hasKernel } from './contract/has-kernel.ts';
import { runKernel } from './contract/run-kernel.ts';

/**
 * Computes the mean of every channel over height and width.
 *
 *     output[n, c] = sum_{h,w} x[n, h, w, c] / (H W)
 *
 * For engines: the kernels are `GlobalAveragePool` and `GlobalAveragePoolGrad` (see `OpKernels`).
 *
 * @param x - images or feature maps, shape [N, H, W, C], float32.
 * @returns a new tensor of shape [N, C], which the caller (or the surrounding `tf.tidy`) disposes.
 * @throws RangeError if `x` does not have four axes.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { globalAveragePool } from '@tfjs-ssl/ops';
 *
 * await startEngine('auto');
 * console.log(globalAveragePool(tf.ones([2, 4, 4, 3])).shape); // [2, 3]
 * ```
 *
 * @see `torch.nn.AdaptiveAvgPool2d(1)`; Lin et al., "Network In Network" (2014), section 3.2.
 */
export function globalAveragePool(x: tf.Tensor4D): tf.Tensor2D {
  if (x.rank !== 4) {
    throw argumentError({
      fn: 'globalAveragePool',
      argument: 'x',
      required: 'have shape [N, H, W, C]',
      got: x.shape,
      advice: 'Add the missing axes.',
    });
  }
  const [, height, width] = x.shape;
  const inputShape = x.shape;
  const pool = tf.customGrad((images) => ({
    value: hasKernel('GlobalAveragePool')
      ? runKernel('GlobalAveragePool', { x: images as tf.Tensor4D }, {})
      : tf.mean(images as tf.Tensor4D, [1, 2]),
    gradFunc: (dy) => {
      if (hasKernel('GlobalAveragePoolGrad')) {
        return runKernel('GlobalAveragePoolGrad', { dy }, { inputShape });
      }
      const perPosition = tf.expandDims(tf.expandDims(tf.div(dy, height * width), 1), 1);
      return tf.tile(perPosition, [1, height, width, 1]);
    },
  }));
  return pool(x) as tf.Tensor2D;
}
