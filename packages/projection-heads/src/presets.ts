import type { TypedModel } from '@tfjs-ssl/layers';
import { mlpHead } from './mlp-head.ts';

/** Choices for the presets of projection heads. */
export interface HeadPresetOptions {
  /** Number of input features. Sizes that the papers state relative to it change with it. Default: 512, as in ResNet-18. */
  readonly inputSize?: number;
  /** Seed of the initial weights. Default 0. */
  readonly seed?: number | string;
  /** Name of the model. Default `'projection'`. */
  readonly name?: string;
}

/** Choices for presets whose papers give all sizes. */
export interface SizedHeadOptions extends HeadPresetOptions {
  /** Size of the hidden layers. Default: the paper's. */
  readonly hiddenSize?: number;
  /** Number of outputs. Default: the paper's. */
  readonly outputSize?: number;
}

/**
 * The head of SimCLR (v1): one hidden layer as wide as the features, 128 outputs, batch norm after both linear layers.
 *
 *     z = BN(W_2 relu(BN(W_1 h)))
 *
 * The paper prints the formula without batch norm. The authors' code has batch norm, and no biases beside it.
 *
 * @param options - input size (also the size of the hidden layer), seed and name.
 * @returns a model from [N, inputSize] to [N, 128], which owns its variables: dispose the model. Pass `{ training: true }` to `apply` while
 * training.
 * @throws RangeError if the input size is not an integer above 0.
 *
 * @example
 * ```ts
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { simclrHead } from '@tfjs-ssl/projection-heads';
 *
 * await startEngine('auto');
 * console.log(simclrHead().outputs[0]?.shape); // [null, 128]
 * ```
 *
 * @see Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations" (2020), section 2.1.
 */
export function simclrHead(options: HeadPresetOptions = {}): TypedModel {
  const { inputSize = 512, ...rest } = options;
  return mlpHead({ inputSize, hiddenSizes: [inputSize], outputSize: 128, batchNorm: 'all', ...rest });
}

/**
 * The head of SimCLR v2: three layers, both hidden ones as wide as the features, batch norm after every linear layer.
 *
 *     z = BN(W_3 relu(BN(W_2 relu(BN(W_1 h)))))
 *
 * SimCLR v2 fine-tunes from the first hidden layer: `tf.model({ inputs: head.inputs, outputs: head.getLayer('1').output })`.
 *
 * @param options - input size (also the size of the hidden layers), seed and name.
 * @returns a model from [N, inputSize] to [N, 128], which owns its variables: dispose the model. Pass `{ training: true }` to `apply` while
 * training.
 * @throws RangeError if the input size is not an integer above 0.
 *
 * @example
 * ```ts
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { simclrV2Head } from '@tfjs-ssl/projection-heads';
 *
 * await startEngine('auto');
 * console.log(simclrV2Head({ inputSize: 2048 }).outputs[0]?.shape); // [null, 128]
 * ```
 *
 * @see Chen et al., "Big Self-Supervised Models are Strong Semi-Supervised Learners" (2020), section 2, "a deeper projection head".
 */
export function simclrV2Head(options: HeadPresetOptions = {}): TypedModel {
  const { inputSize = 512, ...rest } = options;
  return mlpHead({ inputSize, hiddenSizes: [inputSize, inputSize], outputSize: 128, batchNorm: 'all', ...rest });
}
