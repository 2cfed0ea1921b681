// Gradient of the weights, the adjoint of the convolution in `winograd.ts`: what is a sum there is a factor here, and the other way round.
import { COLUMNS, microSums, ROWS } from './generated/micro';
import { STEP, transformWeightGradientPair, transformWeightGradientStrided, transformWeightGradientTile } from './generated/winograd';
import { SCRATCH, SCRATCH_SIZE } from './layout';
import { firstOf } from './split';
import { factorOf, isFirstOfFactor, PAIR, productsOf, STRIDED, sumOf } from './winograd-kinds';
import { FREE, touchInput, touchOutput, transformInput, transformOutputGradient, WinogradShape } from './winograd-tiles';
import { GAP } from './winograd-weights';
import { floats } from './words';

@unmanaged
class WinogradPairsJob extends WinogradShape {
  input: usize;
  dy: usize;
  /** Transformed tiles: [product][tile][channels] of the input, with steps in bytes, and [sum][tile][output channels] of the output's gradient. */
  inputs: usize;
  inputStep: usize;
  inputRow: usize;
  gradients: usize;
  gradientStep: usize;
  gradientRow: usize;
  /** First tile, number of tiles, and those of one task. */
  first: i32;
  tiles: i32;
  block: i32;
}

/** Transforms input and output's gradient of a block of tiles. */
export function winogradPairsTask(address: usize, index: i32, scratch: usize): void {
  const job = changetype<WinogradPairsJob>(address);
  const end = min(job.tiles, (index + 1) * job.block);
  for (let t = index * job.block; t < end; t++) {
    transformInput(job, scratch, job.input, job.first + t, job.inputs + <usize>t * job.inputRow, job.inputStep);
    transformOutputGradient(job, scratch, job.dy, job.first + t, job.gradients + <usize>t * job.gradientRow, job.gradientStep);
  }
}

@unmanaged
class WinogradGradientJob extends WinogradShape {
  /** As of {@link WinogradPairsJob}. */
  inputs: usize;
  inputStep: usize;
  inputRow: usize;
  gradients: usize;
  gradientStep: usize;
  gradientRow: usize;
  tiles: i32;
  /** Gradients of the weights by part of the tiles, [part][9][channels][outputChannels]. */
  output: usize;
  parts: i32;
  /** Channels on either side of one block. */
  channelBlock: i32;
  outputBlock: i32;
}

/** Most tiles that are multiplied at once: their rows stay in the first cache. */
const K_BLOCK: i32 = 128;
const BUFFER: usize = 0x400;

/** A block of the weights, for one part of the tiles, which all threads have transformed. */
export function winogradGradientTask(address: usize, index: i32, scratch: usize): void {
  const job = changetype<WinogradGradientJob>(address);
  const blocksX = (job.outputChannels + job.outputBlock - 1) / job.outputBlock;
  const blocksY = (job.channels + job.channelBlock - 1) / job.channelBlock;
  const part = index / (blocksX * blocksY);
  const rest = index - part * blocksX * blocksY;
  const begin = firstOf(part, job.parts, job.tiles);
  const end = firstOf(part + 1, job.parts, job.tiles);
  const inputs = job.inputs + <usize>begin * job.inputRow;
  const gradients = job.gradients + <usize>begin * job.gradientRow;
  weightGradientBlock(job, inputs, gradients, end - begin, part, (rest / blocksX) * job.channelBlock, (rest % blocksX) * job.outputBlock, scratch);
}

@unmanaged
class WinogradGradientPartsJob extends WinogradGradientJob {
  input: usize;
  dy: usize;
  /** Bytes of transformed tiles of one thread; `inputs` and `gradients` are those of the first. */
  threadBytes: usize;
}

/** All weights, for one part of the tiles, which the thread itself transforms: they never leave its caches. */
export function winogradGradientPartsTask(address: usize, part: i32, scratch: usize): void {
  const job = changetype<WinogradGradientPartsJob>(address);
  const own = ((scratch - SCRATCH) / SCRATCH_SIZE) * job.threadBytes;
  const inputs = job.inputs + own;
  const gradients = job.gradients + own;
  const begin = firstOf(part, job.parts, job.tiles);
  const tiles = firstOf(part + 1, job.parts, job.tiles) - begin;
  touchInput(job, scratch, job.input, begin, tiles);
  touchOutput(job, scratch, job.dy, begin, tiles);
  for (let t = 0; t < tiles; t++) {
    transformInput(job, scratch, job.input, begin + t, inputs + <usize>t * job.inputRow, job.inputStep);
    transformOutputGradient(job, scratch, job.dy, begin + t, gradients + <usize>t * job.gradientRow, job.gradientStep);
  }
  for (let o = 0; o < job.outputChannels; o += job.outputBlock) {
    for (let c = 0; c < job.channels; c += job.channelBlock) {
      weightGradientBlock(job, inputs, gradients, tiles, part, c, o, scratch);
    }
  }
}

/** Products of a block of channels, summed over so many transformed tiles, and what they make of the weights. */
function weightGradientBlock(
  job: WinogradGradientJob,
  inputs: usize,
  gradients: usize,
  tiles: i32,
  part: i32,
  c0: i32,
  o0: i32,
  scratch: usize,
): void {
  const channels = min(job.channelBlock, job.channels - c0);
  const outputs = min(job.outputBlock, job.outputChannels - o0);
  const row = floats(((job.outputBlock + COLUMNS - 1) / COLUMNS) * COLUMNS);
  const step = <usize>(job.channelBlock + ROWS) * row + GAP;
  const sums = scratch + FREE;
  const count = productsOf(job.kind);
  for (let k = 0; k < tiles; k += K_BLOCK) {
    const depth = min(K_BLOCK, tiles - k);
    for (let f = 0; f < count; f++) {
      const a = inputs + <usize>f * job.inputStep + <usize>k * job.inputRow + floats(c0);
      const b = gradients + <usize>sumOf(job.kind, f) * job.gradientStep + <usize>k * job.gradientRow + floats(o0);
      const target = sums + <usize>factorOf(job.kind, f) * step;
      const overwrite = k === 0 && isFirstOfFactor(job.kind, f) ? 1 : 0;
      for (let o = 0; o < outputs; o += COLUMNS) {
        for (let c = 0; c < channels; c += ROWS) {
          const to = target + <usize>c * row + floats(o);
          microSums(depth, a + floats(c), job.inputRow, b + floats(o), job.gradientRow, to, row, overwrite);
        }
      }
    }
  }
  const size = floats(job.channels * job.outputChannels);
  for (let c = 0; c < channels; c++) {
    const from = sums + <usize>c * row;
    const to = job.output + <usize>(9 * part) * size + floats((c0 + c) * job.outputChannels + o0);
    if (job.kind === PAIR) {
      for (let o: usize = 0; o < floats(outputs); o += STEP) transformWeightGradientPair(from + o, step, to + o, size, scratch + BUFFER);
    } else if (job.kind === STRIDED) {
      for (let o: usize = 0; o < floats(outputs); o += STEP) transformWeightGradientStrided(from + o, step, to + o, size, scratch + BUFFER);
    } else {
      for (let o: usize = 0; o < floats(outputs); o += STEP) transformWeightGradientTile(from + o, step, to + o, size, scratch + BUFFER);
    }
  }
}
