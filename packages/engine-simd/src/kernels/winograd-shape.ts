import type { ConvolutionGeometry } from '@tfjs-ssl/ops';
import { tapSpans } from './gathered-product.ts';

/** Kinds of tiles: `assembly/winograd-kinds.ts` says what they are. */
export const TILE = 0;
export const PAIR = 1;
export const STRIDED = 2;
const STRIDED_GRADIENT = 3;

/** How Winograd's algorithm cuts a convolution into tiles. */
export interface WinogradShape {
  readonly kind: typeof TILE | typeof PAIR | typeof STRIDED | typeof STRIDED_GRADIENT;
  /** Products of a tile, transformed weights that they take, and sums that they are added to. */
  readonly products: number;
  readonly factors: number;
  readonly sums: number;
  readonly tilesX: number;
  readonly tilesPerImage: number;
}

/**
 * Channels on either side, at least, at stride 1 and 2: fewer do not pay for the transforms, and errors would grow beyond three times those of plain
 * sums.
 */
const FEWEST_CHANNELS = 16;
const FEWEST_STRIDED_CHANNELS = 64;
/** Products of channels up to which transformed weights pass by tiles, and not the other way round. */
export const FEW_WEIGHTS: number = 128 * 128;
/** A row of outputs that nobody wants has room for so many. */
const MOST_CHANNELS = 2048;
/** Tiles of all images, at least, at stride 1 and 2: fewer do not pay for the transform of the weights. */
const FEWEST_TILES = 8;
const FEWEST_STRIDED_TILES = 48;
/** Part of the plain products, at most, that may be left, at stride 1 and 2. */
const WORTH = 0.65;
const STRIDED_WORTH = 0.7;

/**
 * How Winograd's algorithm takes a convolution, or null where the plain one is better: 3x3, stride 1 or 2, channels in eights, and as many tiles
 * that are whole enough. A matter of the shape alone, so that results do not depend on threads or tile.
 */
export function winogradShape(g: ConvolutionGeometry): WinogradShape | null {
  if (!suits(g)) return null;
  if (g.strideY === 2) return stridedShape(g, STRIDED, g.outputHeight, g.outputWidth);
  if (g.height === 2 && g.width === 2 && g.outputHeight === 2 && g.outputWidth === 2 && g.top === 1 && g.left === 1) {
    if (g.images < FEWEST_TILES) return null;
    return { kind: PAIR, products: 9, factors: 9, sums: 9, tilesX: 1, tilesPerImage: 1 };
  }
  const tilesX = Math.ceil(g.outputWidth / 4);
  const tilesPerImage = tilesX * Math.ceil(g.outputHeight / 4);
  if (g.images * tilesPerImage < FEWEST_TILES || 36 * tilesPerImage > WORTH * validTaps(g)) return null;
  return { kind: TILE, products: 36, factors: 36, sums: 36, tilesX, tilesPerImage };
}

/**
 * How it takes the gradient of the input of a convolution at stride 2, or null where the plain one is better, as it is on several
 * threads with many weights, for whose sums there would also be no room. Tiles begin with a pixel that the middle tap sees.
 */
export function stridedGradientShape(g: ConvolutionGeometry): WinogradShape | null {
  if (!suits(g) || g.strideY !== 2 || g.top % 2 === 0 || g.left % 2 === 0) return null;
  if (g.channels * g.outputChannels > FEW_WEIGHTS) return null;
  return stridedShape(g, STRIDED_GRADIENT, Math.ceil(g.height / 2), Math.ceil(g.width / 2));
}

function stridedShape(
  g: ConvolutionGeometry,
  kind: typeof STRIDED | typeof STRIDED_GRADIENT,
  lines: number,
  columns: number,
): WinogradShape | null {
  const tilesX = Math.ceil(columns / 4);
  const tilesPerImage = tilesX * Math.ceil(lines / 4);
  const few = g.images * tilesPerImage < FEWEST_STRIDED_TILES;
  if (few || 81 * tilesPerImage > STRIDED_WORTH * validTaps(g)) return null;
  return { kind, products: 81, factors: 36, sums: kind === STRIDED ? 25 : 81, tilesX, tilesPerImage };
}

function suits(g: ConvolutionGeometry): boolean {
  const fewest = g.strideY === 1 ? FEWEST_CHANNELS : FEWEST_STRIDED_CHANNELS;
  const fits = (channels: number): boolean => channels % 8 === 0 && channels >= fewest && channels <= MOST_CHANNELS;
  const [side, stride] = [g.filterHeight, g.strideY];
  return (
    side === 3 &&
    g.filterWidth === 3 &&
    stride <= 2 &&
    g.strideX === stride &&
    fits(g.channels) &&
    fits(g.outputChannels)
  );
}

/** Pairs of an output of an image and a tap that is inside it. */
function validTaps(g: ConvolutionGeometry): number {
  const along = (outputs: number, stride: number, padding: number, size: number): number =>
    tapSpans(outputs, 3, stride, -padding, size).reduce((sum, span) => sum + span.count * (span.tap1 - span.tap0), 0);
  return along(g.outputHeight, g.strideY, g.top, g.height) * along(g.outputWidth, g.strideX, g.left, g.width);
}
