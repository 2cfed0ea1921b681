import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { argumentError, checkNumber, showValue } from '@tfjs-ssl/checks';
import { type CallOptions, type LayerArgs, type TensorLayer, TorchLayer } from './torch-layer.ts';
import { describe, requireWhole } from './windows.ts';

/** Choices for {@link stochasticDepth}. */
export interface StochasticDepthOptions {
  /** Probability that a row is left out, in [0, 1). */
  readonly probability: number;
  /** Row of the layer in the table of all layers of its kind, from 0. */
  readonly index: number;
  /** Name of the layer. */
  readonly name?: string;
}

/** The layer of {@link stochasticDepth}; tables of its factors need its numbers. */
export class StochasticDepth extends TorchLayer {
  static readonly className: string = 'TorchStochasticDepth';
  readonly probability: number;
  readonly index: number;

  constructor(options: StochasticDepthOptions) {
    super(options as LayerArgs);
    const { probability, index } = options;
    const advice = 'Leave the layer out for 1, or pass 0 to keep all rows.';
    checkNumber('stochasticDepth', 'probability', probability, { min: 0, below: 1 }, advice);
    requireWhole('stochasticDepth', 0, { index });
    this.probability = probability;
    this.index = index;
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    if (inputShape.length !== 2 || !Array.isArray(inputShape[0])) {
      throw argumentError({
        fn: 'stochasticDepth',
        argument: 'input',
        required: 'be [x, residual] of one shape',
        got: inputShape,
        shown: `[${describe(inputShape)}]`,
        advice: 'Pass the branch and its shortcut.',
      });
    }
    return inputShape[0];
  }

  protected override compute(
    [x, residual]: [tf.Tensor, tf.Tensor],
    training: boolean,
    { stochasticDepth: table }: CallOptions,
  ): tf.Tensor {
    if (!training || this.probability === 0) return tf.add(x, residual);
    const rows = x.shape[0] as number;
    if (table?.rank !== 2 || table.shape[0] <= this.index || table.shape[1] !== rows) {
      throw argumentError({
        fn: 'stochasticDepth',
        argument: 'options.stochasticDepth',
        required: `be a tensor of shape [layers, ${rows}] in training, with a row for this layer, ${this.index}`,
        got: table?.shape,
        shown: table ? `shape ${showValue(table.shape)}` : 'none',
        advice:
          'Pass model.apply(x, { training: true, stochasticDepth: stochasticDepthTable(model, { seed, step, rows }) }), or build the model with stochasticDepth: 0.',
      });
    }
    const factors = tf.reshape(tf.slice(table, [this.index, 0], [1, rows]), [rows, ...x.shape.slice(1).fill(1)]);
    return tf.add(tf.mul(x, factors), residual);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), probability: this.probability, index: this.index };
  }
}
tf.serialization.registerClass(StochasticDepth);

/**
 * The sum of a residual block, in which training leaves out the branch of some rows.
 *
 *     y[n] = x[n] factor[n] + residual[n],  factor[n] = 0 with the probability p, else 1 / (1 - p)
 *
 * The factors come in with the call, from `stochasticDepthTable`, so that a step depends on its inputs alone: it can be recorded, repeated and resumed.
 * Without `{ training: true }`, all factors are 1.
 *
 * @param options - probability and place in the table.
 * @returns a layer from [x, residual] of one shape [N, ...] to that shape, without variables.
 * @throws RangeError if the probability is not in [0, 1), or (on use) a training call has no table of the right shape.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { stochasticDepth } from '@tfjs-ssl/layers';
 *
 * await startEngine('auto');
 * const layer = stochasticDepth({ probability: 0.5, index: 0 });
 * const options = { training: true, stochasticDepth: tf.tensor2d([[0, 2]]) };
 * layer.apply([tf.ones([2, 3]), tf.ones([2, 3])], options).print(); // rows of 1 and of 3
 * ```
 *
 * @see Huang et al., "Deep Networks with Stochastic Depth" (2016); `torchvision.ops.StochasticDepth` with mode `'row'`.
 */
export function stochasticDepth(options: StochasticDepthOptions): TensorLayer {
  return new StochasticDepth(options) as TensorLayer;
}
