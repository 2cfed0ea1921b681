// Gradient of the weights by Winograd's F(2x2, 3x3), the adjoint of the convolution in `winograd.ts`: 16 products of transformed tiles
// take the place of 36.
import { COLUMNS, microPacked, packColumns, ROWS } from './generated/micro';
import { STEP, transformInput, transformOutputGradient, transformWeightGradient } from './generated/winograd';
import { pointAtInputs, pointAtOutputs } from './winograd';
import { floats, setPointer } from './words';

@unmanaged
class WinogradGradientJob {
  task: i32;
  input: usize;
  dy: usize;
  /** Sums of the parts: [part][16][channels][outputChannels]. */
  sums: usize;
  channels: i32;
  outputChannels: i32;
  height: i32;
  width: i32;
  top: i32;
  left: i32;
  outputHeight: i32;
  outputWidth: i32;
  images: i32;
  parts: i32;
  /** Tiles that are transformed at once. */
  block: i32;
  /** A row of zeros as long as the channels: what lies outside the image. */
  zeros: usize;
}

// Scratch memory of a task. Tables have room for 256 tiles.
const TILE_POINTERS: usize = 0;
const SUM_ROWS: usize = 0x100;
/** Takes what the last panel computes beyond the channels. */
const BEYOND: usize = 0x200;
const INPUT_ROWS: usize = 0x1000;
const PACKED: usize = 0x2000;
const INPUTS: usize = 0x20000;

/** The images of one part. */
export function winogradGradientTask(address: usize, part: i32, scratch: usize): void {
  const job = changetype<WinogradGradientJob>(address);
  const rowBytes = floats(job.channels);
  const dyBytes = floats(job.outputChannels);
  const tilesX = job.outputWidth >> 1;
  const tilesPerImage = tilesX * (job.outputHeight >> 1);
  const inputStep = <usize>job.block * rowBytes;
  const dyStep = <usize>job.block * dyBytes;
  const inputs = scratch + INPUTS;
  const gradients = inputs + 16 * inputStep;
  const sums = job.sums + floats(part * 16 * job.channels * job.outputChannels);
  const begin = ((part * job.images) / job.parts) * tilesPerImage;
  const end = (((part + 1) * job.images) / job.parts) * tilesPerImage;
  for (let first = begin; first < end; first += job.block) {
    const tiles = min(job.block, end - first);
    for (let t = 0; t < tiles; t++) {
      const image = (first + t) / tilesPerImage;
      const rest = first + t - image * tilesPerImage;
      const y = (rest / tilesX) * 2;
      const x = (rest % tilesX) * 2;
      const table = scratch + TILE_POINTERS;
      pointAtInputs(table, job.input, rowBytes, job.zeros, image, y - job.top, x - job.left, job.height, job.width);
      const input = inputs + <usize>t * rowBytes;
      for (let c: usize = 0; c < rowBytes; c += STEP) transformInput(table, c, input + c, inputStep);
      pointAtOutputs(table, job.dy, dyBytes, image * job.outputHeight + y, x, job.outputWidth);
      // in panels of COLUMNS, as the product wants them
      let gradient = gradients + floats(t * COLUMNS);
      for (let o = 0; o < job.outputChannels; o += COLUMNS) {
        for (let i: usize = 0; i < floats(COLUMNS); i += STEP) {
          transformOutputGradient(table, floats(o) + i, gradient + i, dyStep);
        }
        gradient += floats(job.block * COLUMNS);
      }
    }
    const overwrite = first === begin ? 1 : 0;
    for (let f = 0; f < 16; f++) {
      for (let t = 0; t < tiles; t++) {
        setPointer(scratch + INPUT_ROWS, t, inputs + <usize>f * inputStep + <usize>t * rowBytes);
      }
      const target = sums + <usize>f * rowBytes * <usize>job.outputChannels;
      for (let c = 0; c < job.channels; c += ROWS) {
        packColumns(tiles, scratch + INPUT_ROWS, floats(c), scratch + PACKED);
        for (let r = 0; r < ROWS; r++) {
          const row = target + <usize>(c + r) * dyBytes;
          setPointer(scratch + SUM_ROWS, r, c + r < job.channels ? row : scratch + BEYOND);
        }
        let gradient = gradients + <usize>f * dyStep;
        for (let o = 0; o < job.outputChannels; o += COLUMNS) {
          microPacked(tiles, scratch + PACKED, gradient, scratch + SUM_ROWS, floats(o), overwrite);
          gradient += floats(job.block * COLUMNS);
        }
      }
    }
  }
}

@unmanaged
class WinogradGradientSumJob {
  task: i32;
  /** [part][16][size]. */
  sums: usize;
  parts: i32;
  /** Channels times output channels. */
  size: i32;
  /** Of them in one task. */
  block: i32;
  /** Gradient of the weights, [9][size]. */
  output: usize;
}

/** Puts the parts together and transforms them back, for one block of weights. */
export function winogradGradientSumTask(address: usize, index: i32): void {
  const job = changetype<WinogradGradientSumJob>(address);
  const step = floats(job.size);
  const end = floats(min(job.size, (index + 1) * job.block));
  for (let o = floats(index * job.block); o < end; o += STEP) {
    transformWeightGradient(job.sums + o, job.parts, 16 * step, step, job.output + o);
  }
}
