import * as tf from '@tensorflow/tfjs-core';

/** Sizes of a convolution, NHWC. */
export interface ConvolutionGeometry {
  readonly images: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly outputChannels: number;
  readonly filterHeight: number;
  readonly filterWidth: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly top: number;
  readonly left: number;
  readonly outputHeight: number;
  readonly outputWidth: number;
}

/** Attributes that TensorFlow.js gives its convolution kernels. */
export interface ConvolutionAttributes {
  readonly strides: [number, number] | number;
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dataFormat?: 'NHWC' | 'NCHW';
  readonly dilations?: [number, number] | number | null;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** The sizes of a convolution, or null where it is of a kind that this engine leaves to the stock kernel (dilation, NCHW). */
export function convolutionGeometry(
  inputShape: readonly number[],
  filterShape: readonly number[],
  attributes: ConvolutionAttributes,
): ConvolutionGeometry | null {
  const { strides, pad, dimRoundingMode, dataFormat = 'NHWC' } = attributes;
  const dilations = attributes.dilations ?? 1; // tf.layers passes null
  const info = tf.backend_util.computeConv2DInfo(
    inputShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    strides,
    dilations,
    pad,
    dimRoundingMode,
    false,
    tf.backend_util.convertConv2DDataFormat(dataFormat),
  );
  if (info.dataFormat !== 'channelsLast' || info.dilationHeight !== 1 || info.dilationWidth !== 1) return null;
  const geometry: ConvolutionGeometry = {
    images: info.batchSize,
    height: info.inHeight,
    width: info.inWidth,
    channels: info.inChannels,
    outputChannels: info.outChannels,
    filterHeight: info.filterHeight,
    filterWidth: info.filterWidth,
    strideY: info.strideHeight,
    strideX: info.strideWidth,
    top: info.padInfo.top,
    left: info.padInfo.left,
    outputHeight: info.outHeight,
    outputWidth: info.outWidth,
  };
  return Object.values(geometry).every((size) => size >= 0) && filterShape[2] === info.inChannels ? geometry : null;
}

/** Key of everything that is planned for a geometry. */
export function geometryKey(g: ConvolutionGeometry): string {
  return `${g.images},${g.height},${g.width},${g.channels},${g.outputChannels},${g.filterHeight},${g.filterWidth},${g.strideY},${g.strideX},${g.top},${g.left},${g.outputHeight},${g.outputWidth}`;
}

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
