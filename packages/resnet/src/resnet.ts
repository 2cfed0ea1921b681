import * as tfl from '@tensorflow/tfjs-layers';
import { argumentError, checkChoice, checkNumber } from '@tfjs-ssl/checks';
import { globalAveragePool, maxPool2d, type TypedModel, typedModel } from '@tfjs-ssl/layers';
import type { Architecture, ArchitectureName } from './architecture-table.ts';
import { type BlockType, basicBlock, bottleneckBlock, convolve, normalise } from './blocks.ts';

/** Choices for the ResNets. */
export interface ResNetOptions {
  /** Height and width (null for any) and channels of the images. Default [null, null, 3]. */
  readonly inputShape?: readonly [height: number | null, width: number | null, channels: number];
  /**
   * First layers. `'imagenet'` (default): 7x7 convolution with stride 2 and 3x3 max-pool with stride 2, a quarter of the image's side;
   * `'small'`: 3x3 convolution with stride 1 and no pool, for images of 32 pixels and less.
   */
  readonly stem?: 'imagenet' | 'small';
  /** Channels of the first stage; the other stages have 2, 4 and 8 times as many. Default 64. */
  readonly width?: number;
  /** Whether every residual block starts as its shortcut, with the last batch norm's scale at 0. Default false. */
  readonly zeroInitResidual?: boolean;
  /** Seed of the initial weights; equal seeds give equal weights on every engine. Default 0. */
  readonly seed?: number | string;
  /** Name of the model. Default: the architecture's name, for example `'resnet18'`. */
  readonly name?: string;
}

const blocks: Readonly<Record<Architecture['block'], { type: BlockType; expansion: number }>> = {
  basic: { type: basicBlock, expansion: 1 },
  bottleneck: { type: bottleneckBlock, expansion: 4 },
};

/** Builds a ResNet with torchvision's layer names, in torchvision's order. It says in its metadata what it is. */
export function buildResNet(
  architecture: ArchitectureName,
  { block, stages }: Architecture,
  options: ResNetOptions,
): TypedModel {
  const {
    inputShape = [null, null, 3],
    stem = 'imagenet',
    width = 64,
    zeroInitResidual = false,
    seed = 0,
    name = architecture,
  } = options;
  check(architecture, options);
  const { type, expansion } = blocks[block];

  const images = tfl.input({ shape: [...inputShape], name: `${name}.images` });
  let x = convolve(images, 'conv1', width, stem === 'imagenet' ? 7 : 3, stem === 'imagenet' ? 2 : 1, seed);
  x = normalise(x, 'bn1', { relu: true });
  if (stem === 'imagenet') {
    x = maxPool2d({ name: 'maxpool', poolSize: 3, strides: 2, padding: 1 }).apply(x) as tfl.SymbolicTensor;
  }
  let channels = width;
  stages.forEach((count, stage) => {
    for (let index = 0; index < count; index++) {
      const stride = stage > 0 && index === 0 ? 2 : 1;
      const blockWidth = width * 2 ** stage;
      const downsample = stride > 1 || channels !== blockWidth * expansion;
      const place = { name: `layer${stage + 1}.${index}`, width: blockWidth, stride, downsample };
      x = type(x, place, { seed, zeroInitResidual });
      channels = blockWidth * expansion;
    }
  });
  const features = globalAveragePool({ name: 'avgpool' }).apply(x) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: images, outputs: features, name });
  model.setUserDefinedMetadata({ architecture, stem, width });
  return typedModel(model, 2);
}

function check(caller: string, { inputShape, stem, width }: ResNetOptions): void {
  if (stem !== undefined) {
    checkChoice(caller, 'stem', stem, ['imagenet', 'small'], "Use 'small' for images of 32 pixels and less.");
  }
  if (width !== undefined) checkNumber(caller, 'width', width, { min: 1, integer: true }, 'The standard one is 64.');
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
