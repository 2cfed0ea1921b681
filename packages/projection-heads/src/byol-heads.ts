import type { TypedModel } from '@tfjs-ssl/layers';
import { mlpHead } from './mlp-head.ts';
import type { SizedHeadOptions } from './presets.ts';

/**
 * The projection head of BYOL: 4096 hidden units with batch norm, 256 outputs without.
 *
 *     z = W_2 relu(BN(W_1 h)) + b_2
 *
 * The paper: "a linear layer with output size 4096 followed by batch normalization, rectified linear units (ReLU), and a final linear layer
 * with output dimension 256."
 *
 * @param options - sizes, seed and name.
 * @returns a model from [N, inputSize] to [N, outputSize], which owns its variables: dispose the model. Pass `{ training: true }` to `apply`
 * while training.
 * @throws RangeError if a size is not an integer above 0.
 *
 * @example
 * ```ts
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { byolHead, byolPredictor } from '@tfjs-ssl/projection-heads';
 *
 * await startEngine('auto');
 * const [head, predictor] = [byolHead({ inputSize: 64, hiddenSize: 128, outputSize: 32 }), byolPredictor({ inputSize: 32, hiddenSize: 128 })];
 * console.log(head.outputs[0]?.shape, predictor.outputs[0]?.shape); // [null, 32] twice
 * ```
 *
 * @see Grill et al., "Bootstrap Your Own Latent" (2020), section 3.3, "architecture"; lightly's `BYOLProjectionHead`.
 */
export function byolHead(options: SizedHeadOptions = {}): TypedModel {
  const { inputSize = 512, hiddenSize = 4096, outputSize = 256, ...rest } = options;
  return mlpHead({ inputSize, hiddenSizes: [hiddenSize], outputSize, batchNorm: 'hidden', ...rest });
}

/**
 * The predictor of BYOL, on top of the projections of the branch that trains.
 *
 *     q = W_2 relu(BN(W_1 z)) + b_2
 *
 * The paper: "The predictor uses the same architecture" as the projection head, so 4096 hidden units, and as many outputs as inputs.
 *
 * @param options - sizes (input: the size of the projections, default 256; output: default the input's), seed and name (default
 * `'prediction'`).
 * @returns a model from [N, inputSize] to [N, outputSize], which owns its variables: dispose the model. Pass `{ training: true }` to `apply`
 * while training.
 * @throws RangeError if a size is not an integer above 0.
 *
 * @example
 * ```ts
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { byolPredictor } from '@tfjs-ssl/projection-heads';
 *
 * await startEngine('auto');
 * console.log(byolPredictor().outputs[0]?.shape); // [null, 256]
 * ```
 *
 * @see Grill et al., "Bootstrap Your Own Latent" (2020), section 3.3, "architecture"; lightly's `BYOLPredictionHead`.
 */
export function byolPredictor(options: SizedHeadOptions = {}): TypedModel {
  const { inputSize = 256, hiddenSize = 4096, outputSize = inputSize, name = 'prediction', ...rest } = options;
  return mlpHead({ inputSize, hiddenSizes: [hiddenSize], outputSize, batchNorm: 'hidden', name, ...rest });
}
