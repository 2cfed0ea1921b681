import type { TypedModel } from '@tfjs-ssl/layers';
import { mlpHead } from './mlp-head.ts';
import type { SizedHeadOptions } from './presets.ts';

/**
 * The projector of Barlow Twins: three layers of 8192 units without biases, batch norm after the first two.
 *
 *     z = W_3 relu(BN(W_2 relu(BN(W_1 h))))
 *
 * The paper: "three linear layers, each with 8192 output units. The first two layers of the projector are followed by a batch normalization
 * layer and rectified linear units." That no layer has a bias is from the authors' code. The loss itself normalises the outputs.
 *
 * @param options - sizes, seed and name.
 * @returns a model from [N, inputSize] to [N, outputSize], which owns its variables: dispose the model. Pass `{ training: true }` to `apply`
 * while training.
 * @throws RangeError if a size is not an integer above 0.
 *
 * @example
 * ```ts
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { barlowTwinsHead } from '@tfjs-ssl/projection-heads';
 *
 * await startEngine('auto');
 * console.log(barlowTwinsHead({ inputSize: 64, hiddenSize: 256, outputSize: 256 }).outputs[0]?.shape); // [null, 256]
 * ```
 *
 * @see Zbontar et al., "Barlow Twins" (2021), section 2.2, "architecture"; facebookresearch/barlowtwins.
 */
export function barlowTwinsHead(options: SizedHeadOptions = {}): TypedModel {
  return expander(options);
}

/**
 * The expander of VICReg: three layers of 8192 units, batch norm after the first two, no biases.
 *
 *     z = W_3 relu(BN(W_2 relu(BN(W_1 h))))
 *
 * The paper: "two fully-connected layers with batch normalization (BN) and ReLU, and a third linear layer. The sizes of all 3 layers were set
 * to 8192." The third layer has no bias in the authors' code. In the first two, the shift of batch norm replaces theirs.
 *
 * @param options - sizes, seed and name.
 * @returns a model from [N, inputSize] to [N, outputSize], which owns its variables: dispose the model. Pass `{ training: true }` to `apply`
 * while training.
 * @throws RangeError if a size is not an integer above 0.
 *
 * @example
 * ```ts
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { vicRegHead } from '@tfjs-ssl/projection-heads';
 *
 * await startEngine('auto');
 * console.log(vicRegHead({ inputSize: 64, hiddenSize: 256, outputSize: 256 }).outputs[0]?.shape); // [null, 256]
 * ```
 *
 * @see Bardes et al., "VICReg" (2022), section 4.2; facebookresearch/vicreg.
 */
export function vicRegHead(options: SizedHeadOptions = {}): TypedModel {
  return expander(options);
}

function expander(options: SizedHeadOptions): TypedModel {
  const { inputSize = 512, hiddenSize = 8192, outputSize = 8192, ...rest } = options;
  const hiddenSizes = [hiddenSize, hiddenSize];
  return mlpHead({ inputSize, hiddenSizes, outputSize, batchNorm: 'hidden', useBias: false, ...rest });
}
