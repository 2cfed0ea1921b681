import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import { globalAveragePool } from './global-average-pool.ts';
import { silu } from './silu.ts';

/** The two linear layers of a gate: {@link squeezeExcite}. */
export interface SqueezeExciteWeights {
  /** From channels to the squeezed ones, shape [C, S], float32. */
  readonly squeeze: tf.Tensor2D;
  /** Shape [S], float32. */
  readonly squeezeBias: tf.Tensor1D;
  /** From the squeezed channels back, shape [S, C], float32. */
  readonly excite: tf.Tensor2D;
  /** Shape [C], float32. */
  readonly exciteBias: tf.Tensor1D;
}

/**
 * Multiplies every channel of every image by a gate in (0, 1), which two small linear layers compute from the means of all channels.
 *
 *     gate = sigmoid(silu(mean_{h,w} x squeeze + squeezeBias) excite + exciteBias),  y[n, h, w, c] = gate[n, c] x[n, h, w, c]
 *
 * @param x - feature maps, shape [N, H, W, C], float32.
 * @param weights - see {@link SqueezeExciteWeights}. Gradients flow to all of them and to `x`.
 * @returns a new tensor of the shape of `x`, which the caller (or the surrounding `tf.tidy`) disposes.
 * @throws RangeError if `x` does not have four axes, or a weight does not fit.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { squeezeExcite } from '@tfjs-ssl/ops';
 *
 * await startEngine('auto');
 * const weights = {
 *   squeeze: tf.zeros<tf.Rank.R2>([8, 2]),
 *   squeezeBias: tf.zeros<tf.Rank.R1>([2]),
 *   excite: tf.zeros<tf.Rank.R2>([2, 8]),
 *   exciteBias: tf.zeros<tf.Rank.R1>([8]),
 * };
 * const y = squeezeExcite(tf.ones<tf.Rank.R4>([1, 4, 4, 8]), weights); // 0.5 everywhere
 * console.log(y.shape, (await y.data())[0]);
 * ```
 *
 * @see Hu et al., "Squeeze-and-Excitation Networks" (2018), section 3; `torchvision.ops.SqueezeExcitation` with SiLU.
 */
export function squeezeExcite(x: tf.Tensor4D, weights: SqueezeExciteWeights): tf.Tensor4D {
  checkArguments(x, weights);
  const { squeeze, squeezeBias, excite, exciteBias } = weights;
  return tf.tidy(() => {
    const squeezed = silu(tf.add(tf.matMul(globalAveragePool(x), squeeze), squeezeBias) as tf.Tensor2D);
    const gate = tf.sigmoid(tf.add(tf.matMul(squeezed, excite), exciteBias));
    return tf.mul(x, tf.reshape(gate, [x.shape[0], 1, 1, x.shape[3]]));
  });
}

function checkArguments(x: tf.Tensor4D, weights: SqueezeExciteWeights): void {
  if (x.rank !== 4) {
    throw argumentError({
      fn: 'squeezeExcite',
      argument: 'x',
      required: 'have shape [N, H, W, C]',
      got: x.shape,
      advice: 'Add the missing axes.',
    });
  }
  const channels = x.shape[3];
  const squeezed = weights.squeezeBias.size;
  const shapes = {
    squeeze: [channels, squeezed],
    squeezeBias: [squeezed],
    excite: [squeezed, channels],
    exciteBias: [channels],
  };
  for (const [name, shape] of Object.entries(shapes)) {
    const got = weights[name as keyof SqueezeExciteWeights].shape;
    if (tf.util.arraysEqual(got, shape)) continue;
    throw argumentError({
      fn: 'squeezeExcite',
      argument: `weights.${name}`,
      required: `have shape [${shape}], for ${channels} channels of x and ${squeezed} squeezed ones`,
      got,
      advice: 'Pass weights of one gate.',
    });
  }
}
