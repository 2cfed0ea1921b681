import type { ConvolutionGeometry } from '@tfjs-ssl/ops';
import { tapSpans } from './gathered-product.ts';

/** How Winograd's algorithm cuts a convolution into tiles. */
export interface WinogradShape {
  /** Whether tiles are whole images of 2x2, of 9 products; else they are of 4x4 outputs, of 36. */
  readonly pairs: boolean;
  readonly products: 9 | 36;
  readonly tilesX: number;
  readonly tilesPerImage: number;
}

/** Channels on either side, at least: fewer do not pay for the transforms, and errors would grow beyond three times those of plain sums. */
const FEWEST_CHANNELS = 16;
/** A row of outputs that nobody wants has room for so many. */
const MOST_CHANNELS = 2048;
/** Tiles of all images, at least: fewer do not pay for the transform of the weights. */
const FEWEST_TILES = 8;
/** Part of the plain products, at most, that may be left. */
const WORTH = 0.65;

/**
 * How Winograd's algorithm takes a convolution, or null where the plain one is better: 3x3, stride 1, channels in eights, and as many tiles that
 * are whole enough. A matter of the shape alone, so that results do not depend on threads or tile.
 */
export function winogradShape(g: ConvolutionGeometry): WinogradShape | null {
  const fits =
    g.filterHeight === 3 &&
    g.filterWidth === 3 &&
    g.strideY === 1 &&
    g.strideX === 1 &&
    suits(g.channels) &&
    suits(g.outputChannels);
  if (!fits) return null;
  if (g.height === 2 && g.width === 2 && g.outputHeight === 2 && g.outputWidth === 2 && g.top === 1 && g.left === 1) {
    return g.images >= FEWEST_TILES ? { pairs: true, products: 9, tilesX: 1, tilesPerImage: 1 } : null;
  }
  const tilesX = Math.ceil(g.outputWidth / 4);
  const tilesPerImage = tilesX * Math.ceil(g.outputHeight / 4);
  const taps = validTaps(g.outputHeight, g.top, g.height) * validTaps(g.outputWidth, g.left, g.width);
  if (g.images * tilesPerImage < FEWEST_TILES || 36 * tilesPerImage > WORTH * taps) return null;
  return { pairs: false, products: 36, tilesX, tilesPerImage };
}

const suits = (channels: number): boolean =>
  channels % 8 === 0 && channels >= FEWEST_CHANNELS && channels <= MOST_CHANNELS;

/** Pairs of an output and a tap that is inside the image, along one axis. */
function validTaps(outputs: number, padding: number, size: number): number {
  return tapSpans(outputs, 3, 1, -padding, size).reduce((sum, { count, tap0, tap1 }) => sum + count * (tap1 - tap0), 0);
}
