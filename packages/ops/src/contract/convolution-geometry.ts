import * as tf from '@tensorflow/tfjs-core';

/** Sizes of a convolution in pixels and channels (NHWC), for which engines plan their kernels. */
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

/**
 * Computes the sizes of a convolution, for engines that implement the convolution kernels of TensorFlow.js.
 *
 * @param inputShape - shape of the images, [N, H, W, C].
 * @param filterShape - shape of the filter, [H, W, C, output channels].
 * @param attributes - the attributes that TensorFlow.js passes to the kernel.
 * @returns the sizes, or null if engines leave this convolution to a stock kernel (dilated, NCHW, grouped).
 */
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

/** Returns the name of a geometry, the key of everything that is planned for it. */
export function geometryKey(g: ConvolutionGeometry): string {
  return `${g.images},${g.height},${g.width},${g.channels},${g.outputChannels},${g.filterHeight},${g.filterWidth},${g.strideY},${g.strideX},${g.top},${g.left},${g.outputHeight},${g.outputWidth}`;
}
