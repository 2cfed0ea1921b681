import type { ConvolutionGeometry } from '@tfjs-ssl/ops';
import type { Runtime } from '../runtime.ts';
import {
  WINOGRAD_BLOCKS,
  WINOGRAD_GRADIENT,
  WINOGRAD_GRADIENT_PARTS,
  WINOGRAD_INPUT,
  WINOGRAD_PAIRS,
  WINOGRAD_PANELS,
  WINOGRAD_WEIGHTS,
} from '../task-ids.ts';
import { ceilDiv } from './kernel.ts';
import { reduce } from './reduce.ts';
import { FEW_WEIGHTS, PAIR, STRIDED, TILE, type WinogradShape } from './winograd-shape.ts';

/** Bytes between neighbouring products beyond what they need: else their places were all in one set of the caches. */
const GAP = 64;
/** Bytes of the transformed tiles of a task: half of the second cache; more at stride 2, where there would be too few tiles for all weights to pass by. */
const TILE_BYTES = 448 * 1024;
const STRIDED_TILE_BYTES = 704 * 1024;
/** Tiles of a task, at least: as many as the micro-kernel of any variant has rows; and the columns of the widest. */
const FEWEST_TILES = 6;
const WIDEST = 16;
/** Depth of weights that a task transforms. */
const DEPTH_BLOCK = 64;
/** Tiles of a task that transforms them for others. */
const TRANSFORM_BLOCK = 8;
/** Tiles that a task multiplies by a panel of weights: their sums have room in the scratch memory. */
const PANEL_TILES = 128;
/** Bytes of transformed tiles at once, about: some of the third cache. */
const GROUP_BYTES = 5 << 20;

/** Weights as they lie: those of the convolution itself, or of the one whose input's gradient is computed. */
export interface WinogradWeights {
  readonly address: number;
  /** Whether they are [9][output channels][channels], the last tap first. */
  readonly transposed: boolean;
}

/** output = convolution of input. */
export function runWinograd(
  runtime: Runtime,
  g: ConvolutionGeometry,
  shape: WinogradShape,
  input: number,
  weights: WinogradWeights,
  output: number,
): void {
  withZeros(runtime, g, (zeros) => {
    const words = [...wordsOf(g, shape), zeros];
    if (shape.kind !== PAIR && g.channels * g.outputChannels <= FEW_WEIGHTS && tilesOfBlock(shape, g) >= FEWEST_TILES) {
      runBlocks(runtime, g, shape, words, input, weights, output);
    } else {
      runPanels(runtime, g, shape, words, input, weights, output);
    }
  });
}

function runBlocks(
  runtime: Runtime,
  g: ConvolutionGeometry,
  shape: WinogradShape,
  words: readonly number[],
  input: number,
  weights: WinogradWeights,
  output: number,
): void {
  const { rows, columns } = runtime.variant;
  const { channels, outputChannels } = g;
  const panels = ceilDiv(outputChannels, columns);
  const weightStep = panels * channels * columns * 4 + GAP;
  const block = Math.floor(tilesOfBlock(shape, g) / rows) * rows;
  const tiles = g.images * shape.tilesPerImage;
  runtime.withTemporary(shape.factors * weightStep, (transformed) => {
    const tasks = panels * ceilDiv(channels, DEPTH_BLOCK);
    const transposed = weights.transposed ? 1 : 0;
    const job = [shape.kind, weights.address, transposed, channels, outputChannels, transformed, weightStep];
    runtime.runOnce(tasks, WINOGRAD_WEIGHTS, ...job);
    runtime.runOnce(
      ceilDiv(tiles, block),
      ...[WINOGRAD_BLOCKS, ...words, input, output, transformed, weightStep, tiles, block],
    );
  });
}

/** Tiles of which inputs and sums are bytes enough for a task. Sums take the places of inputs, unless several products are added. */
function tilesOfBlock({ kind, products, sums }: WinogradShape, g: ConvolutionGeometry): number {
  const outputChannels = ceilDiv(g.outputChannels, WIDEST) * WIDEST;
  const widest = Math.max(g.channels, outputChannels);
  const row = kind === STRIDED ? products * g.channels + sums * outputChannels : (products + 1) * widest;
  return (kind === TILE ? TILE_BYTES : STRIDED_TILE_BYTES) / (4 * row);
}

function runPanels(
  runtime: Runtime,
  g: ConvolutionGeometry,
  shape: WinogradShape,
  words: readonly number[],
  input: number,
  weights: WinogradWeights,
  output: number,
): void {
  const { rows, columns } = runtime.variant;
  const row = g.channels * 4;
  const tiles = g.images * shape.tilesPerImage;
  const group = groupOf(tiles, shape.products * row, PANEL_TILES);
  const step = (group + rows) * row + GAP;
  const transposed = weights.transposed ? 1 : 0;
  runtime.withTemporary(shape.products * step, (inputs) => {
    for (let first = 0; first < tiles; first += group) {
      const count = Math.min(group, tiles - first);
      const transform = [WINOGRAD_INPUT, ...words, input, inputs, step, row, first, count, TRANSFORM_BLOCK];
      runtime.runOnce(ceilDiv(count, TRANSFORM_BLOCK), ...transform);
      const tasks = ceilDiv(count, PANEL_TILES) * ceilDiv(g.outputChannels, columns);
      const job = [inputs, step, output, weights.address, transposed, first, count, PANEL_TILES];
      runtime.runOnce(tasks, WINOGRAD_PANELS, ...words, ...job);
    }
  });
}

/** Channels of the weights of one block, on the input's side and on the output's. */
const CHANNEL_BLOCK = 48;
const OUTPUT_BLOCK = 32;
/** Tasks that there should be at least: parts of the tiles, whose results are added, where weights alone give fewer. */
const TASKS = 12;
/** Tiles of such a part, at least. */
const PART = 64;
/** Bytes of the transformed tiles of a part that one thread transforms and multiplies alone: about those of a second cache. */
const OWN_BYTES = 1.5 * 2 ** 20;
/** Parts of that kind, at least. */
const OWN_PARTS = 8;
/** Tiles of such a part, at least, times (1 / channels + 1 / output channels): fewer do not pay for the transform of its sums. */
const OWN_TILES = 0.3;

/** dWeights = gradient of the weights for dOutput. */
export function runWinogradGradient(
  runtime: Runtime,
  g: ConvolutionGeometry,
  shape: WinogradShape,
  input: number,
  dOutput: number,
  dWeights: number,
): void {
  const { rows } = runtime.variant;
  const { channels, outputChannels } = g;
  const size = 9 * channels * outputChannels;
  const tiles = g.images * shape.tilesPerImage;
  const inputRow = channels * 4 + GAP;
  const gradientRow = outputChannels * 4 + GAP;
  const channelBlock = ceilDiv(ceilDiv(channels, ceilDiv(channels, CHANNEL_BLOCK)), rows) * rows;
  const blocks = [channelBlock, OUTPUT_BLOCK];
  /** Bytes from one product of so many transformed tiles to the next. */
  const stepsOf = (count: number) => ({ inputStep: count * inputRow + GAP, gradientStep: count * gradientRow + GAP });

  const tileBytes = shape.products * inputRow + shape.sums * gradientRow;
  const ownParts = ownPartsOf(g, tiles, tileBytes);
  if (ownParts > 1) {
    const { inputStep, gradientStep } = stepsOf(ceilDiv(tiles, ownParts));
    const own = shape.products * inputStep + shape.sums * gradientStep;
    sumParts(runtime, ownParts, size, dWeights, (target) =>
      withZeros(runtime, g, (zeros) =>
        runtime.withTemporary(runtime.threads * own, (inputs) => {
          const gradients = inputs + shape.products * inputStep;
          const transformed = [inputs, inputStep, inputRow, gradients, gradientStep, gradientRow];
          const job = [...wordsOf(g, shape), zeros, ...transformed, tiles, target, ownParts, ...blocks];
          runtime.runOnce(ownParts, WINOGRAD_GRADIENT_PARTS, ...job, input, dOutput, own);
        }),
      ),
    );
    return;
  }
  const group = groupOf(tiles, tileBytes, PART);
  const groups = ceilDiv(tiles, group);
  const weightBlocks = ceilDiv(channels, CHANNEL_BLOCK) * ceilDiv(outputChannels, OUTPUT_BLOCK);
  const parts = Math.max(1, Math.min(ceilDiv(TASKS, weightBlocks), Math.floor(group / PART)));
  const tasks = parts * ceilDiv(channels, channelBlock) * ceilDiv(outputChannels, OUTPUT_BLOCK);
  const { inputStep, gradientStep } = stepsOf(group);
  sumParts(runtime, groups * parts, size, dWeights, (target) =>
    withZeros(runtime, g, (zeros) => {
      const words = [...wordsOf(g, shape), zeros];
      runtime.withTemporary(shape.products * inputStep + shape.sums * gradientStep, (inputs) => {
        const gradients = inputs + shape.products * inputStep;
        const transformed = [inputs, inputStep, inputRow, gradients, gradientStep, gradientRow];
        for (let i = 0; i < groups; i++) {
          const count = Math.min(group, tiles - i * group);
          const pairs = [input, dOutput, ...transformed, i * group, count, TRANSFORM_BLOCK];
          runtime.runOnce(ceilDiv(count, TRANSFORM_BLOCK), WINOGRAD_PAIRS, ...words, ...pairs);
          const job = [...transformed, count, target + i * parts * size * 4, parts, ...blocks];
          runtime.runOnce(tasks, WINOGRAD_GRADIENT, ...words, ...job);
        }
      });
    }),
  );
}

/** Parts of the tiles of which a thread transforms and multiplies each alone; 1 if that does not pay. A matter of the shape alone. */
function ownPartsOf(g: ConvolutionGeometry, tiles: number, tileBytes: number): number {
  const parts = ceilDiv(tiles * tileBytes, OWN_BYTES * 4) * 4;
  const worth = (tiles / parts) * (1 / g.channels + 1 / g.outputChannels);
  return parts >= OWN_PARTS && worth >= OWN_TILES ? parts : 1;
}

/** Lets `compute` write so many parts of a tensor, and adds them. */
function sumParts(
  runtime: Runtime,
  parts: number,
  size: number,
  output: number,
  compute: (target: number) => void,
): void {
  if (parts === 1) {
    compute(output);
    return;
  }
  runtime.withTemporary(parts * size * 4, (target) => {
    compute(target);
    reduce(runtime, { operation: 'sum', outer: 1, length: parts, inner: size, scale: 1, input: target, output });
  });
}

/** Tiles that are transformed at once: all, or a multiple of `unit` whose bytes are few enough. */
function groupOf(tiles: number, bytes: number, unit: number): number {
  const units = Math.max(1, Math.floor(GROUP_BYTES / (bytes * unit)));
  const groups = ceilDiv(tiles, units * unit);
  return groups === 1 ? tiles : ceilDiv(ceilDiv(tiles, groups), unit) * unit;
}

const wordsOf = (g: ConvolutionGeometry, shape: WinogradShape): number[] => [
  ...[shape.kind, g.channels, g.outputChannels, g.height, g.width],
  ...(shape.kind === PAIR ? [0, 0] : [g.top, g.left]), // the transform of a pair knows its margin
  ...[g.outputHeight, g.outputWidth, shape.tilesX, shape.tilesPerImage],
];

/** Calls `use` with the address of a row of zeros. */
function withZeros(runtime: Runtime, g: ConvolutionGeometry, use: (address: number) => void): void {
  const size = Math.max(g.channels, g.outputChannels);
  runtime.withTemporary(size * 4, (zeros) => {
    runtime.floats(zeros, size).fill(0);
    use(zeros);
  });
}
