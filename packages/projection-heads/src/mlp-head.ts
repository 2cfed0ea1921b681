import * as tfl from '@tensorflow/tfjs-layers';
import { checkChoice, checkNumber } from '@tfjs-ssl/checks';
import { batchNorm, linear, type TypedModel, typedModel } from '@tfjs-ssl/layers';

/** Choices for {@link mlpHead}. */
export interface MlpHeadOptions {
  /** Number of input features: 512 for ResNet-18 and 34, 2048 for the deeper ones. */
  readonly inputSize: number;
  /** Sizes of the hidden layers; `[]` for a linear head. */
  readonly hiddenSizes: readonly number[];
  /** Number of outputs: the dimension of the space in which the loss compares views. */
  readonly outputSize: number;
  /** Which linear layers batch norm follows: `'hidden'`, all but the last; `'all'`, every one. Default `'none'`. */
  readonly batchNorm?: 'none' | 'hidden' | 'all';
  /** Which batch norms have a scale and a shift: `'all'`, or `'hidden'`, all but one after the last layer (SimSiam). Default `'all'`. */
  readonly affine?: 'all' | 'hidden';
  /** Whether linear layers have a bias. A layer before a batch norm has none, because the batch norm's shift replaces it. Default true. */
  readonly useBias?: boolean;
  /** Seed of the initial weights; equal seeds give equal weights on every engine. Default 0. */
  readonly seed?: number | string;
  /** Name of the model. Default `'projection'`. */
  readonly name?: string;
}

/**
 * A projection head: linear layers with rectifiers in between.
 *
 *     z = W_n relu(... relu(W_1 h + b_1) ...) + b_n
 *
 * Layers are named by their place as in PyTorch's `nn.Sequential(Linear, [BatchNorm1d,] ReLU, ..., Linear)`: `0.weight`, `0.bias`, `2.weight`.
 *
 * @param options - sizes, batch norm, bias, seed.
 * @returns a model from features [N, inputSize] to projections [N, outputSize], not normalised (the loss does that), which owns its
 * variables: dispose the model. With batch norm, pass `{ training: true }` to `apply` while training.
 * @throws RangeError if a size is not an integer above 0, or `batchNorm` or `affine` is not one of its values.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { mlpHead } from '@tfjs-ssl/projection-heads';
 *
 * await startEngine('auto');
 * const head = mlpHead({ inputSize: 512, hiddenSizes: [256], outputSize: 128, seed: 42 });
 * console.log(head.countParams()); // 164224
 * console.log(head.apply(tf.ones([4, 512])).shape); // [4, 128]
 * ```
 *
 * @see Chen et al., "A Simple Framework for Contrastive Learning of Visual Representations" (2020), section 2.1 and 4.2.
 */
export function mlpHead(options: MlpHeadOptions): TypedModel {
  const { inputSize, hiddenSizes, outputSize, affine = 'all', useBias = true, seed = 0, name = 'projection' } = options;
  const normalised = options.batchNorm ?? 'none';
  check(options);

  const features = tfl.input({ shape: [inputSize], name: `${name}.features` });
  let x = features;
  let place = 0; // within PyTorch's nn.Sequential
  const sizes = [...hiddenSizes, outputSize];
  sizes.forEach((units, i) => {
    const last = i === sizes.length - 1;
    const normalise = normalised === 'all' || (normalised === 'hidden' && !last);
    const hasBias = useBias && !normalise;
    x = linear({ units, useBias: hasBias, seed, name: `${place++}` }).apply(x) as tfl.SymbolicTensor;
    if (normalise) {
      // The rectifier is part of our batch norm, but has a place of its own in the names.
      const scaled = !last || affine === 'all';
      x = batchNorm({ relu: !last, affine: scaled, name: `${place++}` }).apply(x) as tfl.SymbolicTensor;
      if (!last) place++;
    } else if (!last) {
      x = tfl.layers.reLU({ name: `${place++}` }).apply(x) as tfl.SymbolicTensor;
    }
  });
  const model = tfl.model({ inputs: features, outputs: x, name });
  model.setUserDefinedMetadata({
    architecture: 'mlpHead',
    sizes: [inputSize, ...sizes],
    batchNorm: normalised,
    ...(affine === 'hidden' && { affine }),
    bias: useBias,
  });
  return typedModel(model, 2);
}

function check(options: MlpHeadOptions): void {
  const { inputSize, hiddenSizes, outputSize, batchNorm: normalised = 'none', affine = 'all' } = options;
  const sizes: Array<[string, number]> = [
    ['inputSize', inputSize],
    ...hiddenSizes.map((size, i): [string, number] => [`hiddenSizes[${i}]`, size]),
    ['outputSize', outputSize],
  ];
  for (const [what, size] of sizes) {
    checkNumber('mlpHead', what, size, { min: 1, integer: true }, 'It is a number of features.');
  }
  checkChoice('mlpHead', 'batchNorm', normalised, ['none', 'hidden', 'all']);
  checkChoice('mlpHead', 'affine', affine, ['all', 'hidden']);
}
