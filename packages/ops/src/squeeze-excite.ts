import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import { hasKernel } from './contract/has-kernel.ts';
import { runKernel } from './contract/run-kernel.ts';
import { globalAveragePool } from './global-average-pool.ts';

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
 * For engines: the kernels are `SqueezeExcite` and `SqueezeExciteGrad` (see `OpKernels`).
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
  const gated = tf.customGrad((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const [x, squeeze, squeezeBias, excite, exciteBias] = args as Inputs;
    const asKernel = hasKernel('SqueezeExcite') && x.size > 0;
    const [value, ...inner] = asKernel
      ? runKernel('SqueezeExcite', { x, squeeze, squeezeBias, excite, exciteBias }, {})
      : composition(x, squeeze, squeezeBias, excite, exciteBias);
    save([x, ...inner, squeeze, excite]);
    return {
      value,
      gradFunc: (dy, saved) => {
        const values = saved as unknown as Saved;
        if (!asKernel) return gradients(dy as tf.Tensor4D, values);
        const [x, pooled, before, squeezed, gate, squeeze, excite] = values;
        return runKernel('SqueezeExciteGrad', { dy, x, pooled, before, squeezed, gate, squeeze, excite }, {});
      },
    };
  });
  return gated(x, squeeze, squeezeBias, excite, exciteBias) as tf.Tensor4D;
}

type Inputs = [
  x: tf.Tensor4D,
  squeeze: tf.Tensor2D,
  squeezeBias: tf.Tensor1D,
  excite: tf.Tensor2D,
  exciteBias: tf.Tensor1D,
];
/** What the gradient needs beside x: the means of the channels [N, C], what SiLU takes and gives [N, S], the gate [N, C]. */
type Inner = [pooled: tf.Tensor2D, before: tf.Tensor2D, squeezed: tf.Tensor2D, gate: tf.Tensor2D];
type Saved = [x: tf.Tensor4D, ...Inner, squeeze: tf.Tensor2D, excite: tf.Tensor2D];

function composition(...[x, squeeze, squeezeBias, excite, exciteBias]: Inputs): [y: tf.Tensor4D, ...Inner] {
  const pooled = globalAveragePool(x);
  const before = tf.fused.matMul({ a: pooled, b: squeeze, bias: squeezeBias }) as tf.Tensor2D;
  const squeezed = tf.mul<tf.Tensor2D>(before, tf.sigmoid(before));
  const gate = tf.sigmoid(tf.fused.matMul({ a: squeezed, b: excite, bias: exciteBias })) as tf.Tensor2D;
  return [tf.mul(x, perPixel(gate)), pooled, before, squeezed, gate];
}

function gradients(dy: tf.Tensor4D, [x, pooled, before, squeezed, gate, squeeze, excite]: Saved): tf.Tensor[] {
  const dlogit = tf.mul<tf.Tensor2D>(tf.sum(tf.mul(x, dy), [1, 2]), tf.mul(gate, tf.sub(1, gate)));
  const open = tf.sigmoid(before);
  const slope = tf.add(open, tf.mul(squeezed, tf.sub(1, open))); // of SiLU, s + t s (1 - s)
  const dbefore = tf.mul<tf.Tensor2D>(tf.matMul(dlogit, excite, false, true), slope);
  const [, height, width] = x.shape;
  const shift = tf.div<tf.Tensor2D>(tf.matMul(dbefore, squeeze, false, true), height * width);
  return [
    tf.add(tf.mul(dy, perPixel(gate)), perPixel(shift)),
    tf.matMul(pooled, dbefore, true, false),
    tf.sum(dbefore, 0),
    tf.matMul(squeezed, dlogit, true, false),
    tf.sum(dlogit, 0),
  ];
}

/** A value for each channel of each image, for all its pixels. */
function perPixel(values: tf.Tensor2D): tf.Tensor4D {
  return tf.reshape(values, [values.shape[0], 1, 1, values.shape[1]]);
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
