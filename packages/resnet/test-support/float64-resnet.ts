import { Float64Tape, type Images, type Parameters, type RectifiedBy } from './float64-tape.ts';

/** Blocks of every stage, and convolutions of a block. */
const depths = {
  resnet18: { blocks: [2, 2, 2, 2], bottleneck: false },
  resnet34: { blocks: [3, 4, 6, 3], bottleneck: false },
  resnet50: { blocks: [3, 4, 6, 3], bottleneck: true },
} as const;

/** An architecture that can be computed in float64. */
export type Architecture = keyof typeof depths;

/** How rectifiers and the maximum choose. */
export interface Choices extends RectifiedBy {
  /** Value of the maximum's input by which it chooses. */
  readonly poolValue?: (index: number) => number;
}

/** What a ResNet computes, with outputs of its stages by the names of the golden files. */
export interface Float64Network {
  readonly features: Images;
  readonly stages: Readonly<Record<string, Images>>;
  /** Goes back through it. */
  readonly tape: Float64Tape;
}

/** Runs a ResNet in training. A shortcut has a convolution where the parameters have one. */
export function float64ResNet(
  name: Architecture,
  parameters: Parameters,
  pixels: Images,
  { passes, poolValue }: Choices,
  stem: 'imagenet' | 'cifar' = 'imagenet',
): Float64Network {
  const tape = new Float64Tape(parameters);
  const [size, step] = stem === 'imagenet' ? [7, 2] : [3, 1];
  const conv1 = tape.convolve('conv1', pixels, size as number, step as number);
  const relu1 = tape.normalise('bn1', conv1, { passes });
  const maxpool = stem === 'imagenet' ? tape.pool(relu1, poolValue ?? ((i) => relu1.data[i]!)) : relu1;
  const stages: Record<string, Images> = { conv1, relu1, maxpool };
  const { blocks, bottleneck } = depths[name];
  // sizes of a block's kernels; the first of 3 x 3 has the stride
  const kernels = bottleneck ? [1, 3, 1] : [3, 3];
  let x = maxpool;
  for (const [stage, count] of blocks.entries()) {
    for (let block = 0; block < count; block++) {
      const layer = `layer${stage + 1}.${block}`;
      const stride = stage > 0 && block === 0 ? 2 : 1;
      let y = x;
      for (const [i, kernel] of kernels.entries()) {
        y = tape.convolve(`${layer}.conv${i + 1}`, y, kernel, i === kernels.indexOf(3) ? stride : 1);
        if (i < kernels.length - 1) y = tape.normalise(`${layer}.bn${i + 1}`, y, { passes });
      }
      const residual = parameters[`${layer}.downsample.0.weight`]
        ? tape.normalise(`${layer}.downsample.1`, tape.convolve(`${layer}.downsample.0`, x, 1, stride))
        : x;
      x = tape.normalise(`${layer}.bn${kernels.length}`, y, { residual, passes });
    }
    stages[`layer${stage + 1}`] = x;
  }
  const features = tape.average(x);
  return { features, stages: { ...stages, features }, tape };
}
