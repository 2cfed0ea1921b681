// Winograd's algorithm: products of transformed tiles take the place of more multiplications. Two ways, by how large the transformed weights are.
import { COLUMNS, microTiles, ROWS } from './generated/micro';
import { factorOf, isFirstOfSum, productsOf, STRIDED, sumOf, sumsOf } from './winograd-kinds';
import { FREE, touchInput, touchOutput, touchOutputChannels, transformInput, transformOutput, WinogradShape } from './winograd-tiles';
import { DEPTH_BLOCK, GAP, transformWeights } from './winograd-weights';
import { floats } from './words';

@unmanaged
class WinogradBlocksJob extends WinogradShape {
  input: usize;
  output: usize;
  /** Transformed weights, [36][panel][channels][COLUMNS], factors `weightStep` bytes apart. */
  weights: usize;
  weightStep: usize;
  /** Tiles: all, and those of one task. */
  tiles: i32;
  block: i32;
}

/**
 * Few weights: a task is a block of tiles, which stay in the second cache with all channels on both sides while the transformed weights pass by.
 * A product takes the place of the input of the one before, which is used up; where products are added, sums lie before all inputs.
 */
export function winogradBlocksTask(address: usize, index: i32, scratch: usize): void {
  const job = changetype<WinogradBlocksJob>(address);
  const first = index * job.block;
  const tiles = min(job.block, job.tiles - first);
  const panels = (job.outputChannels + COLUMNS - 1) / COLUMNS;
  const inputRow = floats(job.channels);
  const outputRow = floats(panels * COLUMNS);
  const room = <usize>(((job.block + ROWS - 1) / ROWS) * ROWS);
  const apart = job.kind === STRIDED;
  const inputStep = room * (apart ? inputRow : max(inputRow, outputRow)) + GAP;
  const outputStep = apart ? room * outputRow + GAP : inputStep;
  const sums = scratch + FREE;
  const inputs = sums + (apart ? <usize>sumsOf(job.kind) * outputStep : inputStep);
  const count = productsOf(job.kind);
  touchInput(job, scratch, job.input, first, tiles);
  for (let t = 0; t < tiles; t++) transformInput(job, scratch, job.input, first + t, inputs + <usize>t * inputRow, inputStep);
  for (let f = 0; f < count; f++) {
    const a = inputs + <usize>f * inputStep;
    const c = sums + <usize>sumOf(job.kind, f) * outputStep;
    const weights = job.weights + <usize>factorOf(job.kind, f) * job.weightStep;
    const overwrite = isFirstOfSum(job.kind, f) ? 1 : 0;
    for (let q = 0; q < panels; q++) {
      const b = weights + floats(q * job.channels * COLUMNS);
      for (let t = 0; t < tiles; t += ROWS) {
        const to = c + <usize>t * outputRow + floats(q * COLUMNS);
        microTiles(job.channels, a + <usize>t * inputRow, inputRow, b, to, outputRow, overwrite);
      }
    }
  }
  touchOutput(job, scratch, job.output, first, tiles);
  for (let t = 0; t < tiles; t++) {
    transformOutput(job, scratch, sums + <usize>t * outputRow, outputStep, job.output, first + t, 0, floats(job.outputChannels));
  }
}

@unmanaged
class WinogradInputJob extends WinogradShape {
  input: usize;
  /** [product][tile][channels], products `step` bytes and tiles `row` bytes apart. */
  output: usize;
  step: usize;
  row: usize;
  /** First tile, number of tiles, and those of one task. */
  first: i32;
  tiles: i32;
  block: i32;
}

/** Transforms the inputs of a block of tiles. */
export function winogradInputTask(address: usize, index: i32, scratch: usize): void {
  const job = changetype<WinogradInputJob>(address);
  const end = min(job.tiles, (index + 1) * job.block);
  for (let t = index * job.block; t < end; t++) {
    transformInput(job, scratch, job.input, job.first + t, job.output + <usize>t * job.row, job.step);
  }
}

@unmanaged
class WinogradPanelsJob extends WinogradShape {
  /** Transformed inputs as of {@link WinogradInputJob}. */
  inputs: usize;
  inputStep: usize;
  output: usize;
  weights: usize;
  transposed: i32;
  first: i32;
  tiles: i32;
  /** Tiles of one task: its sums have room in the scratch memory. */
  block: i32;
}

/** Longest stretch of the sum for which transformed weights have room; the splits depend on the shape alone, never on the tile. */
const K_BLOCK: i32 = 256;
// Scratch memory of a task.
const WEIGHTS: usize = 0x10000;
const SUMS: usize = 0xa1000;

/**
 * Many weights: a task is a panel of output channels, whose weights are transformed into the second cache, where they stay while the transformed
 * inputs pass by. All weights are read once.
 */
export function winogradPanelsTask(address: usize, index: i32, scratch: usize): void {
  const job = changetype<WinogradPanelsJob>(address);
  const panels = (job.outputChannels + COLUMNS - 1) / COLUMNS;
  const block = index / panels;
  const panel = index - block * panels;
  const first = block * job.block;
  const tiles = min(job.block, job.tiles - first);
  const count = productsOf(job.kind);
  const inputRow = floats(job.channels);
  const outputRow = floats(COLUMNS);
  const weights = scratch + WEIGHTS;
  const sums = scratch + SUMS;
  const sumStep = <usize>(job.block + ROWS) * outputRow + GAP;
  for (let k0 = 0; k0 < job.channels; k0 += K_BLOCK) {
    const depth = min(K_BLOCK, job.channels - k0);
    const weightStep = floats(depth * COLUMNS) + GAP;
    for (let k = 0; k < depth; k += DEPTH_BLOCK) {
      const end = k0 + min(depth, k + DEPTH_BLOCK);
      const to = weights + floats(k * COLUMNS);
      transformWeights(job.kind, job.weights, job.transposed, job.channels, job.outputChannels, panel, k0 + k, end, to, weightStep, scratch);
    }
    for (let f = 0; f < count; f++) {
      const a = job.inputs + <usize>f * job.inputStep + <usize>first * inputRow + floats(k0);
      const b = weights + <usize>factorOf(job.kind, f) * weightStep;
      const c = sums + <usize>sumOf(job.kind, f) * sumStep;
      const overwrite = k0 === 0 && isFirstOfSum(job.kind, f) ? 1 : 0;
      for (let t = 0; t < tiles; t += ROWS) {
        microTiles(depth, a + <usize>t * inputRow, inputRow, b, c + <usize>t * outputRow, outputRow, overwrite);
      }
    }
  }
  const offset = floats(panel * COLUMNS);
  const bytes = min(outputRow, floats(job.outputChannels) - offset);
  touchOutputChannels(job, scratch, job.output, job.first + first, tiles, offset, bytes);
  for (let t = 0; t < tiles; t++) {
    transformOutput(job, scratch, sums + <usize>t * outputRow, sumStep, job.output, job.first + first + t, offset, bytes);
  }
}
