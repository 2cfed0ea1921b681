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
 * For engines: the kernels are `ScaleChannels` and `ChannelDots` (see `OpKernels`).
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
    const [xs, ...parts] = args as Inputs;
    const pooled = globalAveragePool(xs);
    const { gate, ...inner } = gateOf(pooled, parts);
    save([xs, pooled, inner.open, inner.squeezed, gate, parts[0], parts[2]]);
    return {
      value: scaleChannels(xs, gate),
      gradFunc: (dy, saved) => backward(dy as tf.Tensor4D, saved as unknown as Saved),
    };
  });
  return gated(x, squeeze, squeezeBias, excite, exciteBias) as tf.Tensor4D;
}

type Parts = [squeeze: tf.Tensor2D, squeezeBias: tf.Tensor1D, excite: tf.Tensor2D, exciteBias: tf.Tensor1D];
type Inputs = [x: tf.Tensor4D, ...Parts];
type Saved = [
  x: tf.Tensor4D,
  pooled: tf.Tensor2D,
  open: tf.Tensor2D,
  squeezed: tf.Tensor2D,
  gate: tf.Tensor2D,
  squeeze: tf.Tensor2D,
  excite: tf.Tensor2D,
];

/** The gate by the means of the channels, shape [N, C]; what SiLU multiplies by, sigmoid(t), and its result, shape [N, S]. */
function gateOf(pooled: tf.Tensor2D, [squeeze, squeezeBias, excite, exciteBias]: Parts) {
  const before = tf.fused.matMul({ a: pooled, b: squeeze, bias: squeezeBias }) as tf.Tensor2D;
  const open = tf.sigmoid(before);
  const squeezed = tf.mul<tf.Tensor2D>(before, open);
  const gate = tf.sigmoid(tf.fused.matMul({ a: squeezed, b: excite, bias: exciteBias })) as tf.Tensor2D;
  return { open, squeezed, gate };
}

/** x and dy are read for the sums of their products, and dy once more for the result: what leads through the gate is the same for all pixels of a channel. */
function backward(dy: tf.Tensor4D, [x, pooled, open, squeezed, gate, squeeze, excite]: Saved): tf.Tensor[] {
  const dlogit = tf.mul<tf.Tensor2D>(channelDots(x, dy), tf.mul(gate, tf.sub(1, gate)));
  const slope = tf.add(open, tf.mul(squeezed, tf.sub(1, open))); // of SiLU, s + t s (1 - s)
  const dbefore = tf.mul<tf.Tensor2D>(tf.matMul(dlogit, excite, false, true), slope);
  const [, height, width] = x.shape;
  const shift = tf.div<tf.Tensor2D>(tf.matMul(dbefore, squeeze, false, true), height * width);
  return [
    scaleChannels(dy, gate, shift),
    tf.matMul(pooled, dbefore, true, false),
    tf.sum(dbefore, 0),
    tf.matMul(squeezed, dlogit, true, false),
    tf.sum(dlogit, 0),
  ];
}

/** x scale + shift, both of the latter for each channel of each image. */
function scaleChannels(x: tf.Tensor4D, scale: tf.Tensor2D, shift?: tf.Tensor2D): tf.Tensor4D {
  if (hasKernel('ScaleChannels')) return runKernel('ScaleChannels', { x, scale, ...(shift && { shift }) }, {});
  const perPixel = (of: tf.Tensor2D) => tf.reshape(of, [of.shape[0], 1, 1, of.shape[1]]);
  const scaled = tf.mul<tf.Tensor4D>(x, perPixel(scale));
  return shift ? tf.add(scaled, perPixel(shift)) : scaled;
}

/** Sums over the pixels of x y. */
function channelDots(x: tf.Tensor4D, y: tf.Tensor4D): tf.Tensor2D {
  return hasKernel('ChannelDots') ? runKernel('ChannelDots', { x, y }, {}) : tf.sum(tf.mul(x, y), [1, 2]);
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
