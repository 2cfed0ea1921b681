// Winograd's F(2x2, 3x3) for stride 1 and even output sizes: 16 products of transformed tiles take the place of 36.
import { COLUMNS, microPacked, packRows, ROWS } from './generated/micro';
import { STEP, transformInput, transformOutput, transformWeights } from './generated/winograd';
import { floats, setPointer } from './words';

@unmanaged
class WinogradWeightsJob {
  task: i32;
  /** Packed 3x3 weights [panel][9][depth][COLUMNS]. */
  weights: usize;
  /** [16][panel][depth][COLUMNS]. */
  output: usize;
  depth: i32;
  panels: i32;
}

/** Transforms the weights of one panel. */
export function winogradWeightsTask(address: usize, panel: i32): void {
  const job = changetype<WinogradWeightsJob>(address);
  const size = floats(job.depth * COLUMNS);
  const from = job.weights + <usize>(panel * 9) * size;
  const to = job.output + <usize>panel * size;
  for (let o: usize = 0; o < size; o += STEP) transformWeights(from + o, size, to + o, <usize>job.panels * size);
}

@unmanaged
class WinogradJob {
  task: i32;
  input: usize;
  /** Transformed weights. */
  weights: usize;
  output: usize;
  channels: i32;
  outputChannels: i32;
  height: i32;
  width: i32;
  top: i32;
  left: i32;
  outputHeight: i32;
  outputWidth: i32;
  /** Tiles of 2x2 outputs: all, and those of one task. */
  tiles: i32;
  block: i32;
  /** A row of zeros as long as the channels: what lies outside the image. */
  zeros: usize;
}

// Scratch memory of a task.
const TILE_POINTERS: usize = 0;
const A_ROWS: usize = 0x100;
const C_ROWS: usize = 0x800;
const PACKED: usize = 0x1000;
const TRANSFORMED: usize = 0x10000;
const PRODUCTS: usize = 0x80000;

/** A block of tiles. */
export function winogradTask(address: usize, index: i32, scratch: usize): void {
  const job = changetype<WinogradJob>(address);
  const first = index * job.block;
  const tiles = min(job.block, job.tiles - first);
  const panels = (tiles + ROWS - 1) / ROWS;
  const rowBytes = floats(job.channels);
  const outputBytes = floats(job.outputChannels);
  const inputStep = <usize>(panels * ROWS) * rowBytes;
  const outputStep = <usize>(panels * ROWS) * outputBytes;
  const tilesX = job.outputWidth >> 1;
  const tilesPerImage = tilesX * (job.outputHeight >> 1);
  for (let t = 0; t < tiles; t++) {
    const image = (first + t) / tilesPerImage;
    const rest = first + t - image * tilesPerImage;
    const tileY = rest / tilesX;
    const y0 = tileY * 2 - job.top;
    const x0 = (rest - tileY * tilesX) * 2 - job.left;
    pointAtInputs(scratch + TILE_POINTERS, job.input, rowBytes, job.zeros, image, y0, x0, job.height, job.width);
    const to = scratch + TRANSFORMED + <usize>t * rowBytes;
    for (let c: usize = 0; c < rowBytes; c += STEP) transformInput(scratch + TILE_POINTERS, c, to + c, inputStep);
  }
  const panelsB = job.outputChannels / COLUMNS;
  for (let f = 0; f < 16; f++) {
    for (let r = 0; r < panels * ROWS; r++) {
      setPointer(scratch + A_ROWS, r, scratch + TRANSFORMED + <usize>f * inputStep + <usize>r * rowBytes);
      setPointer(scratch + C_ROWS, r, scratch + PRODUCTS + <usize>f * outputStep + <usize>r * outputBytes);
    }
    for (let p = 0; p < panels; p++) {
      packRows(job.channels, scratch + A_ROWS + floats(p * ROWS), 0, scratch + PACKED + floats(p * ROWS * job.channels));
    }
    for (let q = 0; q < panelsB; q++) {
      const b = job.weights + floats((f * panelsB + q) * job.channels * COLUMNS);
      for (let p = 0; p < panels; p++) {
        const a = scratch + PACKED + floats(p * ROWS * job.channels);
        microPacked(job.channels, a, b, scratch + C_ROWS + floats(p * ROWS), floats(q * COLUMNS), 1);
      }
    }
  }
  for (let t = 0; t < tiles; t++) {
    const image = (first + t) / tilesPerImage;
    const rest = first + t - image * tilesPerImage;
    const tileY = rest / tilesX;
    const y = image * job.outputHeight + tileY * 2;
    pointAtOutputs(scratch + TILE_POINTERS, job.output, outputBytes, y, (rest - tileY * tilesX) * 2, job.outputWidth);
    const from = scratch + PRODUCTS + <usize>t * outputBytes;
    for (let c: usize = 0; c < outputBytes; c += STEP) transformOutput(from + c, outputStep, scratch + TILE_POINTERS, c);
  }
}

/** Addresses of the 4x4 pixels of an input tile; `zeros` is that of those outside the image. */
export function pointAtInputs(
  table: usize,
  input: usize,
  rowBytes: usize,
  zeros: usize,
  image: i32,
  y0: i32,
  x0: i32,
  height: i32,
  width: i32,
): void {
  for (let i = 0; i < 4; i++) {
    for (let j = 0; j < 4; j++) {
      const y = y0 + i;
      const x = x0 + j;
      const inside = y >= 0 && y < height && x >= 0 && x < width;
      setPointer(table, i * 4 + j, inside ? input + <usize>((image * height + y) * width + x) * rowBytes : zeros);
    }
  }
}

/** Addresses of the 2x2 pixels of an output tile, whose first line is `y` of all images' lines. */
export function pointAtOutputs(table: usize, output: usize, rowBytes: usize, y: i32, x: i32, width: i32): void {
  const at = output + <usize>(y * width + x) * rowBytes;
  const below = at + <usize>width * rowBytes;
  setPointer(table, 0, at);
  setPointer(table, 1, at + rowBytes);
  setPointer(table, 2, below);
  setPointer(table, 3, below + rowBytes);
}
