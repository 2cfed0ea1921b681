import type { ConvolutionGeometry } from '@tfjs-ssl/ops';

/** The product [rows, depth] x [depth, columns] as a convolution of 1x1 images by a 1x1 filter. */
export function productGeometry(rows: number, depth: number, columns: number): ConvolutionGeometry {
  const one = {
    height: 1,
    width: 1,
    filterHeight: 1,
    filterWidth: 1,
    strideY: 1,
    strideX: 1,
    top: 0,
    left: 0,
    outputHeight: 1,
    outputWidth: 1,
  };
  return { ...one, images: rows, channels: depth, outputChannels: columns };
}
