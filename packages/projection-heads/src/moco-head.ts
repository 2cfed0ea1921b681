import type { TypedModel } from '@tfjs-ssl/layers';
import { mlpHead } from './mlp-head.ts';
import type { SizedHeadOptions } from './presets.ts';

/**
 * The head of MoCo v2: 2048 hidden units, 128 outputs, biases and no batch norm.
 *
 *     z = W_2 relu(W_1 h + b_1) + b_2
 *
 * The paper: "a 2-layer MLP head (hidden layer 2048-d, with ReLU)". The 128 outputs are MoCo v1's, whose head is one linear layer.
 *
 * @param options - sizes, seed and name.
 * @returns a model from [N, inputSize] to [N, outputSize], which owns its variables: dispose the model.
 * @throws RangeError if a size is not an integer above 0.
 *
 * @example
 * ```ts
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { mocoHead } from '@tfjs-ssl/projection-heads';
 *
 * await startEngine('auto');
 * console.log(mocoHead().outputs[0]?.shape); // [null, 128]
 * ```
 *
 * @see Chen et al., "Improved Baselines with Momentum Contrastive Learning" (2020), section 3; He et al., "Momentum Contrast" (2020), section
 * 3.3; lightly's `MoCoProjectionHead`.
 */
export function mocoHead(options: SizedHeadOptions = {}): TypedModel {
  const { inputSize = 512, hiddenSize = 2048, outputSize = 128, ...rest } = options;
  return mlpHead({ inputSize, hiddenSizes: [hiddenSize], outputSize, ...rest });
}
