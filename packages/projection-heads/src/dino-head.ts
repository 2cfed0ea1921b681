import * as tfl from '@tensorflow/tfjs-layers';
import { checkNumber } from '@tfjs-ssl/checks';
import { batchNorm, linear, type TypedModel, typedModel, unitLength, weightNormLinear } from '@tfjs-ssl/layers';
import type { SizedHeadOptions } from './presets.ts';

/** Choices for {@link dinoHead}. */
export interface DINOHeadOptions extends SizedHeadOptions {
  /** Size of the bottleneck before the last layer. Default 256. */
  readonly bottleneckSize?: number;
  /** Whether batch norm follows the first two layers, as the authors' code has it for convolutional networks. Default false. */
  readonly batchNorm?: boolean;
  /** Whether the lengths of the last layer's weights train, which is less stable. Default false: they stay 1. */
  readonly learnLengths?: boolean;
}

/**
 * The head of DINO: three layers with GELUs in between, a bottleneck of unit length, and a last layer with weight normalisation.
 *
 *     y_k = u . v_k / |v_k|,    u = b / |b|,    b = W_3 gelu(W_2 gelu(W_1 h + b_1) + b_2) + b_3
 *
 * The paper: "a 3-layer multi-layer perceptron (MLP) with hidden dimension 2048 followed by l2 normalization and a weight normalized fully
 * connected layer with K dimensions", K = 65536, bottleneck 256. The first layers start from normal weights of deviation 0.02 and biases of 0. The last layer is frozen in the first epoch:
 * `frozenAtFirst: { parameters: [/last_layer/], steps: feed.stepsPerEpoch }` of the trainer.
 *
 * Weights have the names of the authors' code: `mlp.0.weight`, `mlp.2.weight`, `mlp.4.weight`, `last_layer.weight_g`, `last_layer.weight_v`.
 *
 * @param options - sizes, batch norm, seed and name.
 * @returns a model from [N, inputSize] to logits [N, outputSize], which owns its variables: dispose the model. With batch norm, pass
 * `{ training: true }` to `apply` while training.
 * @throws RangeError if a size is not an integer above 0.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { dinoHead } from '@tfjs-ssl/projection-heads';
 *
 * await startEngine('auto');
 * const head = dinoHead({ inputSize: 64, hiddenSize: 128, bottleneckSize: 32, outputSize: 256 });
 * console.log(head.apply(tf.ones([4, 64])).shape); // [4, 256]
 * ```
 *
 * @see Caron et al., "Emerging Properties in Self-Supervised Vision Transformers" (2021), section 3.1, "network architecture", and appendix C;
 * `DINOHead` of facebookresearch/dino and of lightly.
 */
export function dinoHead(options: DINOHeadOptions = {}): TypedModel {
  const { inputSize = 512, hiddenSize = 2048, bottleneckSize = 256, outputSize = 65536 } = options;
  const { batchNorm: normalise = false, learnLengths = false, seed = 0, name = 'projection' } = options;
  const sizes = { inputSize, hiddenSize, bottleneckSize, outputSize };
  for (const [what, size] of Object.entries(sizes)) {
    checkNumber('dinoHead', what, size, { min: 1, integer: true }, 'It is a number of features.');
  }
  const features = tfl.input({ shape: [inputSize], name: `${name}.features` });
  let x: tfl.SymbolicTensor = features;
  let place = 0; // within PyTorch's nn.Sequential
  const next = (): string => `mlp.${place++}`;
  for (const units of [hiddenSize, hiddenSize]) {
    x = linear({ units, deviation: 0.02, seed, name: next() }).apply(x);
    if (normalise) x = batchNorm({ name: next() }).apply(x);
    x = tfl.layers.activation({ activation: 'gelu', name: next() }).apply(x) as tfl.SymbolicTensor;
  }
  x = linear({ units: bottleneckSize, deviation: 0.02, seed, name: next() }).apply(x);
  x = unitLength({ name: 'normalize' }).apply(x);
  x = weightNormLinear({ units: outputSize, learnLengths, seed, name: 'last_layer' }).apply(x);
  const model = tfl.model({ inputs: features, outputs: x, name });
  model.setUserDefinedMetadata({
    architecture: 'dinoHead',
    sizes: [inputSize, hiddenSize, bottleneckSize, outputSize],
    batchNorm: normalise,
    learnLengths,
  });
  return typedModel(model, 2);
}
