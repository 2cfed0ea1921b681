// What all parts of Winograd's algorithm share: where its tiles lie, and their transforms channel by channel.
//
// `winograd-kinds.ts` has the kinds of tiles.
import {
  STEP,
  transformInputPair,
  transformInputStrided,
  transformInputStridedGradient,
  transformInputTile,
  transformOutputGradientPair,
  transformOutputGradientStrided,
  transformOutputGradientTile,
  transformOutputPair,
  transformOutputStrided,
  transformOutputStridedGradient,
  transformOutputTile,
} from './generated/winograd';
import { touch, touchRows } from './touch';
import { inputSide, inputStep, outputSide, PAIR, STRIDED, STRIDED_GRADIENT } from './winograd-kinds';
import { floats, setPointer } from './words';

/** A convolution by 3x3; the first words of every job of the algorithm. */
@unmanaged
export class WinogradShape {
  task: i32;
  kind: i32;
  channels: i32;
  outputChannels: i32;
  height: i32;
  width: i32;
  top: i32;
  left: i32;
  outputHeight: i32;
  outputWidth: i32;
  tilesX: i32;
  tilesPerImage: i32;
  /** A row of zeros as long as the channels on either side: what lies outside the image. */
  zeros: usize;
}

// Scratch memory of a task.
const PIXELS: usize = 0;
const BUFFER: usize = 0x400;
/** Takes a row of outputs that lie outside the image. */
const BEYOND: usize = 0x1000;
/** Free for the rest. */
export const FREE: usize = 0x4000;

/** V = B^T d B of a tile, all channels: to places `toStep` bytes apart. */
export function transformInput(shape: WinogradShape, scratch: usize, input: usize, tile: i32, to: usize, toStep: usize): void {
  const bytes = floats(shape.channels);
  const table = scratch + PIXELS;
  const buffer = scratch + BUFFER;
  pointAtPixels(
    table,
    input,
    bytes,
    shape.zeros,
    tile / shape.tilesPerImage,
    tileLine(shape, tile) * inputStep(shape.kind) - shape.top,
    tileColumn(shape, tile) * inputStep(shape.kind) - shape.left,
    inputSide(shape.kind),
    shape.height,
    shape.width,
  );
  if (shape.kind === PAIR) {
    for (let c: usize = 0; c < bytes; c += STEP) transformInputPair(table, c, to + c, toStep, buffer);
  } else if (shape.kind === STRIDED) {
    for (let c: usize = 0; c < bytes; c += STEP) transformInputStrided(table, c, to + c, toStep, buffer);
  } else if (shape.kind === STRIDED_GRADIENT) {
    for (let c: usize = 0; c < bytes; c += STEP) transformInputStridedGradient(table, c, to + c, toStep, buffer);
  } else {
    for (let c: usize = 0; c < bytes; c += STEP) transformInputTile(table, c, to + c, toStep, buffer);
  }
}

/** Y = A^T M A of a tile, `bytes` of its channels from `offset` on: M from places `fromStep` bytes apart. */
export function transformOutput(
  shape: WinogradShape,
  scratch: usize,
  from: usize,
  fromStep: usize,
  output: usize,
  tile: i32,
  offset: usize,
  bytes: usize,
): void {
  const table = scratch + PIXELS;
  const buffer = scratch + BUFFER;
  pointAtOutputs(shape, table, output, scratch + BEYOND, tile);
  if (shape.kind === PAIR) {
    for (let c: usize = 0; c < bytes; c += STEP) transformOutputPair(from + c, fromStep, table, offset + c, buffer);
  } else if (shape.kind === STRIDED) {
    for (let c: usize = 0; c < bytes; c += STEP) transformOutputStrided(from + c, fromStep, table, offset + c, buffer);
  } else if (shape.kind === STRIDED_GRADIENT) {
    for (let c: usize = 0; c < bytes; c += STEP) transformOutputStridedGradient(from + c, fromStep, table, offset + c, buffer);
  } else {
    for (let c: usize = 0; c < bytes; c += STEP) transformOutputTile(from + c, fromStep, table, offset + c, buffer);
  }
}

/** N = A dY A^T of a tile, all channels: to places `toStep` bytes apart. */
export function transformOutputGradient(shape: WinogradShape, scratch: usize, dy: usize, tile: i32, to: usize, toStep: usize): void {
  const bytes = floats(shape.outputChannels);
  const table = scratch + PIXELS;
  const buffer = scratch + BUFFER;
  pointAtOutputs(shape, table, dy, shape.zeros, tile);
  if (shape.kind === PAIR) {
    for (let o: usize = 0; o < bytes; o += STEP) transformOutputGradientPair(table, o, to + o, toStep, buffer);
  } else if (shape.kind === STRIDED) {
    for (let o: usize = 0; o < bytes; o += STEP) transformOutputGradientStrided(table, o, to + o, toStep, buffer);
  } else {
    for (let o: usize = 0; o < bytes; o += STEP) transformOutputGradientTile(table, o, to + o, toStep, buffer);
  }
}

function pointAtOutputs(shape: WinogradShape, table: usize, output: usize, outside: usize, tile: i32): void {
  const side = outputSide(shape.kind);
  const image = tile / shape.tilesPerImage;
  const y = tileLine(shape, tile) * side;
  const x = tileColumn(shape, tile) * side;
  pointAtPixels(table, output, floats(shape.outputChannels), outside, image, y, x, side, shape.outputHeight, shape.outputWidth);
}

/** Which line of tiles of its image a tile is in. */
function tileLine(shape: WinogradShape, tile: i32): i32 {
  return (tile % shape.tilesPerImage) / shape.tilesX;
}

/** Which tile of its line a tile is. */
function tileColumn(shape: WinogradShape, tile: i32): i32 {
  return (tile % shape.tilesPerImage) % shape.tilesX;
}

/** Writes the addresses of `side` x `side` pixels of images; `outside` is that of those outside. */
function pointAtPixels(
  table: usize,
  images: usize,
  rowBytes: usize,
  outside: usize,
  image: i32,
  y0: i32,
  x0: i32,
  side: i32,
  height: i32,
  width: i32,
): void {
  for (let i = 0; i < side; i++) {
    const y = y0 + i;
    const line = images + <usize>((image * height + y) * width) * rowBytes;
    for (let j = 0; j < side; j++) {
      const x = x0 + j;
      const inside = y >= 0 && y < height && x >= 0 && x < width;
      setPointer(table, i * side + j, inside ? line + <usize>x * rowBytes : outside);
    }
  }
}

/** Brings into the caches all lines of the input that so many tiles see. */
export function touchInput(shape: WinogradShape, scratch: usize, input: usize, first: i32, tiles: i32): void {
  const side = inputSide(shape.kind);
  touchLines(shape, scratch, input, floats(shape.channels), shape.height, shape.width, -shape.top, inputStep(shape.kind), side, first, tiles);
}

/** Brings into the caches all lines of the output, or of its gradient, in which so many tiles lie. */
export function touchOutput(shape: WinogradShape, scratch: usize, output: usize, first: i32, tiles: i32): void {
  const side = outputSide(shape.kind);
  touchLines(shape, scratch, output, floats(shape.outputChannels), shape.outputHeight, shape.outputWidth, 0, side, side, first, tiles);
}

/** The same for `bytes` of their channels from `offset` on. */
export function touchOutputChannels(
  shape: WinogradShape,
  scratch: usize,
  output: usize,
  first: i32,
  tiles: i32,
  offset: usize,
  bytes: usize,
): void {
  const last = first + tiles - 1;
  const side = outputSide(shape.kind);
  const rowBytes = floats(shape.outputChannels);
  const begin = (first / shape.tilesPerImage) * shape.outputHeight + tileLine(shape, first) * side;
  const end = (last / shape.tilesPerImage) * shape.outputHeight + min(shape.outputHeight, (tileLine(shape, last) + 1) * side);
  const rows = (end - begin) * shape.outputWidth;
  touchRows(output + <usize>(begin * shape.outputWidth) * rowBytes + offset, rowBytes, rows, bytes, scratch);
}

function touchLines(
  shape: WinogradShape,
  scratch: usize,
  images: usize,
  rowBytes: usize,
  height: i32,
  width: i32,
  offset: i32,
  step: i32,
  side: i32,
  first: i32,
  tiles: i32,
): void {
  const last = first + tiles - 1;
  const begin = (first / shape.tilesPerImage) * height + min(height, max(0, tileLine(shape, first) * step + offset));
  const end = (last / shape.tilesPerImage) * height + max(0, min(height, tileLine(shape, last) * step + offset + side));
  if (begin < end) touch(images + <usize>(begin * width) * rowBytes, <usize>((end - begin) * width) * rowBytes, scratch);
}
