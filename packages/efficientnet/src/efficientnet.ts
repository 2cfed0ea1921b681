import * as tfl from '@tensorflow/tfjs-layers';
import { argumentError, checkChoice, checkNumber } from '@tfjs-ssl/checks';
import { globalAveragePool, type TypedModel, typedModel } from '@tfjs-ssl/layers';
import { type EfficientNetName, efficientNets, planNetwork } from './architecture-table.ts';
import { convolve, invertedBottleneck, normaliseSilu } from './blocks.ts';

/** Choices for the EfficientNets. */
export interface EfficientNetOptions {
  /** Height and width (null for any) and channels of the images. Default [null, null, 3]. */
  readonly inputShape?: readonly [height: number | null, width: number | null, channels: number];
  /** First layer, a 3x3 convolution: `'imagenet'` (default) with stride 2, `'small'` with stride 1, for images of 32 pixels and less. */
  readonly stem?: 'imagenet' | 'small';
  /** Factor on the architecture's channels, above 0; every number of channels is rounded to a multiple of 8. Default 1. */
  readonly width?: number;
  /** Factor on the architecture's blocks of each stage, above 0; every number is rounded up. Default 1. */
  readonly depth?: number;
  /**
   * Probability, in [0, 1), with which training leaves out the branch of a block that would follow the last one; it rises evenly from 0 at the first. With 0, the network has no
   * stochastic depth; otherwise a training call needs a table of factors, `model.apply(x, { training: true, stochasticDepth: stochasticDepthTable(model, { seed, step, rows }) })`.
   * Default 0.2, as in torchvision.
   */
  readonly stochasticDepth?: number;
  /** Seed of the initial weights; equal seeds give equal weights on every engine. Default 0. */
  readonly seed?: number | string;
  /** Name of the model. Default: the architecture's name, for example `'efficientnet_b0'`. */
  readonly name?: string;
}

/** Builds an EfficientNet with torchvision's layer names, in torchvision's order. It says in its metadata what it is. */
export function buildEfficientNet(
  caller: string,
  architecture: EfficientNetName,
  options: EfficientNetOptions,
): TypedModel {
  const { inputShape = [null, null, 3], stem = 'imagenet', width = 1, depth = 1, seed = 0 } = options;
  const { stochasticDepth = 0.2, name = architecture } = options;
  check(caller, options);
  const scale = efficientNets[architecture];
  const plan = planNetwork({ width: scale.width * width, depth: scale.depth * depth });

  const images = tfl.input({ shape: [...inputShape], name: `${name}.images` });
  const strides = stem === 'imagenet' ? 2 : 1;
  let x = convolve(images, { name: 'features.0.0', filters: plan.stem, kernelSize: 3, strides, seed });
  x = normaliseSilu(x, 'features.0.1');
  let withDepth = 0;
  plan.blocks.forEach((block, i) => {
    const probability = (stochasticDepth * i) / plan.blocks.length;
    const drops = block.residual && probability > 0;
    x = invertedBottleneck(x, block, { seed, depth: drops ? { probability, index: withDepth++ } : null });
  });
  const last = `features.${Number((plan.blocks.at(-1)?.name ?? '').split('.')[1]) + 1}`;
  x = convolve(x, { name: `${last}.0`, filters: plan.features, kernelSize: 1, seed });
  x = normaliseSilu(x, `${last}.1`);
  const features = globalAveragePool({ name: 'avgpool' }).apply(x) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: images, outputs: features, name });
  model.setUserDefinedMetadata({ architecture, stem, width, depth });
  return typedModel(model, 2);
}

function check(caller: string, { inputShape, stem, width, depth, stochasticDepth }: EfficientNetOptions): void {
  if (stem !== undefined) {
    checkChoice(caller, 'stem', stem, ['imagenet', 'small'], "Use 'small' for images of 32 pixels and less.");
  }
  for (const [argument, factor] of Object.entries({ width, depth })) {
    if (factor !== undefined) checkNumber(caller, argument, factor, { above: 0 }, 'The standard one is 1.');
  }
  if (stochasticDepth !== undefined) {
    checkNumber(caller, 'stochasticDepth', stochasticDepth, { min: 0, below: 1 }, 'Pass 0 to train all rows.');
  }
  if (inputShape !== undefined && (inputShape.length !== 3 || !(Number(inputShape[2]) > 0))) {
    throw argumentError({
      fn: caller,
      argument: 'inputShape',
      required: 'be [height, width, channels]',
      got: inputShape,
      advice: 'Leave the batch axis out; use null for a size that varies.',
    });
  }
}
