import * as tf from '@tensorflow/tfjs-core';
import type { LayerVariable, Shape } from '@tensorflow/tfjs-layers';
import { argumentError, checkNumber, showValue } from '@tfjs-ssl/checks';
import { batchNormEvaluate, batchNormTrain } from '@tfjs-ssl/ops';
import { constant } from './seeded-values.ts';
import { type LayerArgs, type TensorLayer, TorchLayer } from './torch-layer.ts';
import { describe } from './windows.ts';

/** Choices for {@link batchNorm}. */
export interface BatchNormOptions {
  /** Weight of the batch in the update of the running statistics, in (0, 1]. Default 0.1. */
  readonly momentum?: number;
  /** Added to the variance before its square root. Default 1e-5. */
  readonly epsilon?: number;
  /** Whether there are a scale and a shift, `weight` and `bias`. SimSiam's head ends without. Default true. */
  readonly affine?: boolean;
  /** Whether max(0, .) is applied at the end. Default false. */
  readonly relu?: boolean;
  /** Whether x sigmoid(x) is applied at the end, in place of a rectifier. Default false. */
  readonly silu?: boolean;
  /** Whether the scale starts at 0, so that a residual block starts as its shortcut. Default false. */
  readonly zeroGamma?: boolean;
  /** Name of the layer. In files, `.weight`, `.bias`, `.running_mean` and `.running_var` are appended to it. */
  readonly name?: string;
}

class BatchNorm extends TorchLayer {
  static readonly className: string = 'TorchBatchNorm';
  readonly #momentum: number;
  readonly #epsilon: number;
  readonly #relu: boolean;
  readonly #silu: boolean;
  readonly #zeroGamma: boolean;
  readonly #affine: boolean;
  #channels = 0;
  #gamma: LayerVariable | undefined;
  #beta: LayerVariable | undefined;
  #runningMean!: LayerVariable;
  #runningVariance!: LayerVariable;

  constructor(options: BatchNormOptions = {}) {
    super(options as LayerArgs);
    const { momentum = 0.1, epsilon = 1e-5, relu = false, silu = false, zeroGamma = false, affine = true } = options;
    const advice = "It is the weight of the new batch: Keras's 0.9 is 0.1 here.";
    checkNumber('batchNorm', 'momentum', momentum, { above: 0, max: 1 }, advice);
    checkNumber('batchNorm', 'epsilon', epsilon, { above: 0 }, 'Use 1e-5.');
    this.#momentum = momentum;
    this.#epsilon = epsilon;
    if (relu && silu) {
      throw argumentError({
        fn: 'batchNorm',
        argument: 'silu',
        required: 'be false beside relu',
        got: silu,
        advice: 'Choose one activation.',
      });
    }
    this.#relu = relu;
    this.#silu = silu;
    this.#zeroGamma = zeroGamma;
    this.#affine = affine;
  }

  override build(inputShape: Shape | Shape[]): void {
    const shapes = (Array.isArray(inputShape[0]) ? inputShape : [inputShape]) as Shape[];
    const channels = shapes[0]?.at(-1);
    const fits = shapes.every((shape) => shape.length >= 2 && shape.at(-1) === channels);
    if (typeof channels !== 'number' || shapes.length > 2 || !fits) {
      throw argumentError({
        fn: 'batchNorm',
        argument: 'input',
        required: 'be x or [x, residual] of shape [..., C] with C known',
        got: inputShape,
        shown: `[${describe(inputShape)}]`,
        advice: "Give the model's input shape with its channels.",
      });
    }
    this.#channels = channels;
    if (this.#affine) {
      this.#gamma = this.addSeeded('weight', [channels], 0, constant(this.#zeroGamma ? 0 : 1));
      this.#beta = this.addSeeded('bias', [channels], 0, constant(0));
    }
    this.#runningMean = this.addSeeded('running_mean', [channels], 0, constant(0), false);
    this.#runningVariance = this.addSeeded('running_var', [channels], 0, constant(1), false);
    this.built = true;
  }

  override computeOutputShape(inputShape: Shape | Shape[]): Shape {
    return (Array.isArray(inputShape[0]) ? inputShape[0] : inputShape) as Shape;
  }

  protected override compute([x, residual]: [tf.Tensor, tf.Tensor?], training: boolean): tf.Tensor {
    return training ? this.#train(x, residual) : this.#evaluate(x, residual);
  }

  #train(x: tf.Tensor, residual: tf.Tensor | undefined): tf.Tensor {
    const [gamma, beta] = this.#scaleAndShift();
    const rows = x.size / gamma.size;
    if (!(rows > 1)) {
      throw argumentError({
        fn: 'batchNorm',
        argument: 'input',
        required: 'have at least two values per channel in training',
        got: x.shape,
        shown: `shape ${showValue(x.shape)}`,
        advice: 'Use a larger batch.',
      });
    }
    const running = {
      mean: this.#runningMean.read() as tf.Variable,
      variance: this.#runningVariance.read() as tf.Variable,
      momentum: this.#momentum,
    };
    const options = { epsilon: this.#epsilon, relu: this.#relu, silu: this.#silu, running };
    return batchNormTrain(x, gamma, beta, residual ? { ...options, residual } : options).output;
  }

  #evaluate(x: tf.Tensor, residual: tf.Tensor | undefined): tf.Tensor {
    const [gamma, beta] = this.#scaleAndShift();
    const statistics = {
      mean: this.#runningMean.read() as tf.Tensor1D,
      variance: this.#runningVariance.read() as tf.Tensor1D,
    };
    const options = { epsilon: this.#epsilon, relu: this.#relu, silu: this.#silu };
    return batchNormEvaluate(x, gamma, beta, statistics, residual ? { ...options, residual } : options);
  }

  #scaleAndShift(): [gamma: tf.Tensor1D, beta: tf.Tensor1D] {
    const [gamma, beta] = [this.#gamma?.read(), this.#beta?.read()] as [tf.Tensor1D?, tf.Tensor1D?];
    return [gamma ?? tf.ones([this.#channels]), beta ?? tf.zeros([this.#channels])];
  }

  override getConfig(): tf.serialization.ConfigDict {
    const config = {
      ...super.getConfig(),
      momentum: this.#momentum,
      epsilon: this.#epsilon,
      relu: this.#relu,
      zeroGamma: this.#zeroGamma,
    };
    return { ...config, ...(this.#silu && { silu: true }), ...(!this.#affine && { affine: false }) };
  }
}
tf.serialization.registerClass(BatchNorm);

/**
 * Batch normalisation with PyTorch's semantics, fused with the shortcut and the activation that follow it in a network.
 *
 *     y = relu(weight (x - mean) / sqrt(variance + epsilon) + bias + residual)
 *
 * With `{ training: true }`, the layer normalises with the mean and the biased variance of the batch, over all axes but the last, and updates
 * the running statistics: running = (1 - momentum) running + momentum batch, with the unbiased variance. Otherwise it normalises with the
 * running statistics and changes nothing. Apply it to `x` or to `[x, residual]`. With `silu`, x sigmoid(x) takes the place of the rectifier.
 *
 * @param options - momentum (the batch's weight, not the past's as in Keras), epsilon, scale and shift, activation.
 * @returns a layer that keeps the shape. Its variables `weight` and `bias` (if affine), `running_mean` and `running_var`, shape [C], live until the layer or
 * its model is disposed.
 * @throws RangeError if momentum or epsilon is out of range, there are two activations, shapes do not fit, or a training batch has one value per channel.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { batchNorm } from '@tfjs-ssl/layers';
 *
 * await startEngine('auto');
 * const layer = batchNorm({ relu: true, name: 'bn1' });
 * const y = layer.apply(tf.randomNormal([8, 4, 4, 3], 5), { training: true });
 * console.log(await tf.mean(y).array()); // about 0.4, the mean of a rectified standard normal
 * ```
 *
 * @see `torch.nn.BatchNorm2d`; Ioffe and Szegedy, "Batch Normalization" (2015).
 */
export function batchNorm(options: BatchNormOptions = {}): TensorLayer {
  return new BatchNorm(options) as TensorLayer;
}
