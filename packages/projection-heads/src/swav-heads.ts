import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { linear, namedWeights, type TypedModel, typedModel, unitLength } from '@tfjs-ssl/layers';
import { unitRows } from '@tfjs-ssl/ops';
import { mlpHead } from './mlp-head.ts';
import type { HeadPresetOptions, SizedHeadOptions } from './presets.ts';

/** Choices for {@link swavPrototypes}. */
export interface SwAVPrototypesOptions extends HeadPresetOptions {
  /** Number of prototypes. Default 3000, the paper's for ImageNet. */
  readonly prototypes?: number;
}

/**
 * The projection head of SwAV: 2048 hidden units with batch norm, 128 outputs without.
 *
 *     z = W_2 relu(BN(W_1 h)) + b_2
 *
 * @param options - sizes, seed and name.
 * @returns a model from [N, inputSize] to [N, outputSize], which owns its variables: dispose the model. Pass `{ training: true }` to `apply`
 * while training.
 * @throws RangeError if a size is not an integer above 0.
 *
 * @example
 * ```ts
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { swavHead } from '@tfjs-ssl/projection-heads';
 *
 * await startEngine('auto');
 * console.log(swavHead().outputs[0]?.shape); // [null, 128]
 * ```
 *
 * @see Caron et al., "Unsupervised Learning of Visual Features by Contrasting Cluster Assignments" (2020), appendix A; facebookresearch/swav,
 * `--hidden_mlp 2048 --feat_dim 128`.
 */
export function swavHead(options: SizedHeadOptions = {}): TypedModel {
  const { inputSize = 512, hiddenSize = 2048, outputSize = 128, ...rest } = options;
  return mlpHead({ inputSize, hiddenSizes: [hiddenSize], outputSize, batchNorm: 'hidden', ...rest });
}

/**
 * The prototypes of SwAV: cosines of projections with trained directions.
 *
 *     scores_nk = z_n / |z_n| . c_k,    |c_k| = 1
 *
 * The model normalises projections. Prototypes are of unit length at the start; {@link unitPrototypes} brings them back to it after each update of the
 * optimizer. The paper keeps them as they are in the first epoch: `frozenAtFirst` of the trainer.
 *
 * @param options - input size (the size of the projections, default 128), number of prototypes, seed and name (default `'prototypes'`).
 * @returns a model from [N, inputSize] to [N, prototypes], which owns its variable `prototypes.weight`: dispose the model.
 * @throws RangeError if a size is not an integer above 0.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { swavPrototypes } from '@tfjs-ssl/projection-heads';
 *
 * await startEngine('auto');
 * const prototypes = swavPrototypes({ inputSize: 16, prototypes: 10 });
 * console.log(await tf.max(prototypes.apply(tf.randomNormal([4, 16]))).data()); // at most 1
 * ```
 *
 * @see Caron et al., "Unsupervised Learning of Visual Features by Contrasting Cluster Assignments" (2020), section 3.1; facebookresearch/swav,
 * `--nmb_prototypes 3000`.
 */
export function swavPrototypes(options: SwAVPrototypesOptions = {}): TypedModel {
  const { inputSize = 128, prototypes = 3000, seed = 0, name = 'prototypes' } = options;
  for (const [what, size] of Object.entries({ inputSize, prototypes })) {
    checkNumber('swavPrototypes', what, size, { min: 1, integer: true }, 'Sizes are whole numbers.');
  }
  const projections = tfl.input({ shape: [inputSize], name: `${name}.projections` });
  const unit = unitLength({ name: 'normalize' }).apply(projections);
  const scores = linear({ units: prototypes, useBias: false, seed, name: 'prototypes' }).apply(unit);
  const model = typedModel(tfl.model({ inputs: projections, outputs: scores, name }), 2);
  model.setUserDefinedMetadata({ architecture: 'swavPrototypes', sizes: [inputSize, prototypes] });
  unitPrototypes(model).update();
  return model;
}

/**
 * Brings prototypes back to unit length: an update for the trainer's `afterUpdate`.
 *
 * @param prototypes - what {@link swavPrototypes} made.
 * @returns an object whose `update` normalises the prototypes, in a compiled step too.
 * @throws RangeError if the model has no prototypes.
 *
 * @example
 * ```ts
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { swavPrototypes, unitPrototypes } from '@tfjs-ssl/projection-heads';
 *
 * await startEngine('auto');
 * const prototypes = swavPrototypes({ inputSize: 16, prototypes: 10 });
 * const afterUpdate = { unit: unitPrototypes(prototypes) }; // new Trainer({ ..., afterUpdate })
 * afterUpdate.unit.update();
 * ```
 *
 * @see facebookresearch/swav, "normalize the prototypes" in main_swav.py, which does it before each step.
 */
export function unitPrototypes(prototypes: TypedModel): {
  /** Normalises the prototypes. */
  update(): void;
} {
  const { parameters, buffers } = namedWeights(prototypes);
  const weight = { ...parameters, ...buffers }['prototypes.weight'];
  if (!weight) {
    throw argumentError({
      fn: 'unitPrototypes',
      argument: 'prototypes',
      required: 'have the weight prototypes.weight',
      got: Object.keys(parameters),
      advice: 'Pass a model of swavPrototypes.',
    });
  }
  return {
    update: () => tf.tidy(() => weight.assign(tf.transpose(unitRows(tf.transpose(weight as tf.Tensor2D))))),
  };
}
