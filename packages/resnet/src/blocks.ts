import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { batchNorm, conv2d } from '@tfjs-ssl/layers';

/** What every block needs to know beside its place. */
interface BlockContext {
  readonly seed: number | string;
  /** Whether the scale of each block's last batch norm starts at 0. */
  readonly zeroInitResidual: boolean;
}

/** Place and size of one residual block. */
interface BlockPlace {
  /** torchvision's name, for example `layer1.0`. */
  readonly name: string;
  /** Channels of the 3x3 convolutions. */
  readonly width: number;
  /** Step of the block, pixels. */
  readonly stride: number;
  /** Whether the shortcut is a convolution, since the block changes the shape. */
  readonly downsample: boolean;
}

/** A residual block: builds its layers on a symbolic tensor. */
export type BlockType = (x: SymbolicTensor, place: BlockPlace, context: BlockContext) => SymbolicTensor;

/** Two 3x3 convolutions beside a shortcut, as in ResNet-18 and 34. */
export const basicBlock: BlockType = (x, { name, width, stride, downsample }, { seed, zeroInitResidual }) => {
  let y = convolve(x, `${name}.conv1`, width, 3, stride, seed);
  y = normalise(y, `${name}.bn1`, { relu: true });
  y = convolve(y, `${name}.conv2`, width, 3, 1, seed);
  const last = batchNorm({ name: `${name}.bn2`, relu: true, zeroGamma: zeroInitResidual });
  return last.apply([y, downsample ? shortcut(x, name, width, stride, seed) : x]) as SymbolicTensor;
};

/** 1x1, 3x3 and 1x1 convolutions to four times the width, as in ResNet-50 and deeper; the stride is at the 3x3, as torchvision has it. */
export const bottleneckBlock: BlockType = (x, { name, width, stride, downsample }, { seed, zeroInitResidual }) => {
  let y = convolve(x, `${name}.conv1`, width, 1, 1, seed);
  y = normalise(y, `${name}.bn1`, { relu: true });
  y = convolve(y, `${name}.conv2`, width, 3, stride, seed);
  y = normalise(y, `${name}.bn2`, { relu: true });
  y = convolve(y, `${name}.conv3`, 4 * width, 1, 1, seed);
  const last = batchNorm({ name: `${name}.bn3`, relu: true, zeroGamma: zeroInitResidual });
  return last.apply([y, downsample ? shortcut(x, name, 4 * width, stride, seed) : x]) as SymbolicTensor;
};

function shortcut(x: SymbolicTensor, name: string, filters: number, stride: number, seed: number | string) {
  return normalise(convolve(x, `${name}.downsample.0`, filters, 1, stride, seed), `${name}.downsample.1`, {});
}

/** A convolution that keeps the image's size but for its stride. */
export function convolve(
  x: SymbolicTensor,
  name: string,
  filters: number,
  kernelSize: number,
  strides: number,
  seed: number | string,
): SymbolicTensor {
  const padding = (kernelSize - 1) / 2;
  return conv2d({ name, filters, kernelSize, strides, padding, seed }).apply(x) as SymbolicTensor;
}

/** A batch norm, with a rectifier if requested. */
export function normalise(x: SymbolicTensor, name: string, options: { relu?: boolean }): SymbolicTensor {
  return batchNorm({ name, ...options }).apply(x) as SymbolicTensor;
}
