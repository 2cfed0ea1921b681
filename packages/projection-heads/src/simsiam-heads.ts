import type { TypedModel } from '@tfjs-ssl/layers';
import { mlpHead } from './mlp-head.ts';
import type { SizedHeadOptions } from './presets.ts';

/**
 * The projection head of SimSiam: three layers of 2048 units with batch norm after each, the last one without scale and shift.
 *
 *     z = BN(W_3 relu(BN(W_2 relu(BN(W_1 h)))))
 *
 * The paper: "The projection MLP has BN applied to each fully-connected (fc) layer, including its output fc. Its output fc has no ReLU. The
 * hidden fc is 2048-d. This MLP has 3 layers." That the last batch norm has no scale and shift is from the authors' code.
 *
 * @param options - sizes, seed and name.
 * @returns a model from [N, inputSize] to [N, outputSize], which owns its variables: dispose the model. Pass `{ training: true }` to `apply`
 * while training.
 * @throws RangeError if a size is not an integer above 0.
 *
 * @example
 * ```ts
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { simsiamHead, simsiamPredictor } from '@tfjs-ssl/projection-heads';
 *
 * await startEngine('auto');
 * const head = simsiamHead({ inputSize: 64, hiddenSize: 128, outputSize: 128 });
 * const predictor = simsiamPredictor({ inputSize: 128, hiddenSize: 32 });
 * console.log(head.outputs[0]?.shape, predictor.outputs[0]?.shape); // [null, 128] twice
 * ```
 *
 * @see Chen and He, "Exploring Simple Siamese Representation Learning" (2021), section 3, "baseline settings"; facebookresearch/simsiam.
 */
export function simsiamHead(options: SizedHeadOptions = {}): TypedModel {
  const { inputSize = 512, hiddenSize = 2048, outputSize = 2048, ...rest } = options;
  const hiddenSizes = [hiddenSize, hiddenSize];
  return mlpHead({ inputSize, hiddenSizes, outputSize, batchNorm: 'all', affine: 'hidden', ...rest });
}

/**
 * The predictor of SimSiam, a bottleneck: 2048 inputs, 512 hidden units with batch norm, 2048 outputs without.
 *
 *     p = W_2 relu(BN(W_1 z)) + b_2
 *
 * The paper: "The dimension of h's input and output (z and p) is d = 2048, and h's hidden layer's dimension is 512."
 *
 * @param options - sizes (input: the size of the projections, default 2048; output: default the input's), seed and name (default
 * `'prediction'`).
 * @returns a model from [N, inputSize] to [N, outputSize], which owns its variables: dispose the model. Pass `{ training: true }` to `apply`
 * while training.
 * @throws RangeError if a size is not an integer above 0.
 *
 * @example
 * ```ts
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { simsiamPredictor } from '@tfjs-ssl/projection-heads';
 *
 * await startEngine('auto');
 * console.log(simsiamPredictor().outputs[0]?.shape); // [null, 2048]
 * ```
 *
 * @see Chen and He, "Exploring Simple Siamese Representation Learning" (2021), section 3, "baseline settings"; facebookresearch/simsiam.
 */
export function simsiamPredictor(options: SizedHeadOptions = {}): TypedModel {
  const { inputSize = 2048, hiddenSize = 512, outputSize = inputSize, name = 'prediction', ...rest } = options;
  return mlpHead({ inputSize, hiddenSizes: [hiddenSize], outputSize, batchNorm: 'hidden', name, ...rest });
}
