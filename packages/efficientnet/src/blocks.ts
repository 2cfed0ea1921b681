import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import { batchNorm, conv2d, depthwiseConv2d, squeezeExcite, stochasticDepth } from '@tfjs-ssl/layers';
import type { BlockPlan } from './architecture-table.ts';

/** What a block needs to know beside its plan. */
interface BlockContext {
  readonly seed: number | string;
  /** Probability that training leaves out the block's branch for a row, and its place among those that have one; null if there is none. */
  readonly depth: { readonly probability: number; readonly index: number } | null;
}

/** An inverted bottleneck: expansion, depthwise convolution, gate and projection, beside a shortcut if the shape stays. Nothing follows the sum. */
export function invertedBottleneck(
  x: SymbolicTensor,
  { name, inputs, expanded, outputs, kernelSize, stride, squeezed, residual }: BlockPlan,
  { seed, depth }: BlockContext,
): SymbolicTensor {
  let y = x;
  let part = 0; // number of the next child of torchvision's block
  if (expanded !== inputs) {
    const at = `${name}.block.${part++}`;
    y = normaliseSilu(convolve(y, { name: `${at}.0`, filters: expanded, kernelSize: 1, seed }), `${at}.1`);
  }
  const depthwise = `${name}.block.${part++}`;
  const window = { kernelSize, strides: stride, padding: (kernelSize - 1) / 2 };
  y = depthwiseConv2d({ name: `${depthwise}.0`, ...window, seed }).apply(y) as SymbolicTensor;
  y = normaliseSilu(y, `${depthwise}.1`);
  y = squeezeExcite({ name: `${name}.block.${part++}`, squeezed, seed }).apply(y) as SymbolicTensor;
  const project = `${name}.block.${part++}`;
  y = convolve(y, { name: `${project}.0`, filters: outputs, kernelSize: 1, seed });
  const last = batchNorm({ name: `${project}.1` });
  if (!residual) return last.apply(y) as SymbolicTensor;
  if (!depth) return last.apply([y, x]) as SymbolicTensor;
  const sum = stochasticDepth({ name: `${name}.stochastic_depth`, ...depth });
  return sum.apply([last.apply(y) as SymbolicTensor, x]) as SymbolicTensor;
}

interface ConvolutionChoices {
  readonly name: string;
  readonly filters: number;
  readonly kernelSize: number;
  readonly strides?: number;
  readonly seed: number | string;
}

/** A convolution that keeps the image's size but for its stride. */
export function convolve(x: SymbolicTensor, choices: ConvolutionChoices): SymbolicTensor {
  return conv2d({ ...choices, padding: (choices.kernelSize - 1) / 2 }).apply(x) as SymbolicTensor;
}

/** Batch norm and SiLU. */
export function normaliseSilu(x: SymbolicTensor, name: string): SymbolicTensor {
  return batchNorm({ name, silu: true }).apply(x) as SymbolicTensor;
}
