import * as tf from '@tensorflow/tfjs-core';

type ConvolutionInfo = tf.backend_util.Conv2DInfo;

/** Visits every tap that lies inside its image: offsets of the first channel in output and input, and of the tap in the filter. */
function forEachTap(info: ConvolutionInfo, visit: (output: number, input: number, filter: number) => void): void {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels } = info;
  const { filterHeight, filterWidth, strideHeight, strideWidth, dilationHeight, dilationWidth, padInfo } = info;
  for (let n = 0; n < batchSize; n++) {
    for (let oy = 0; oy < outHeight; oy++) {
      for (let ox = 0; ox < outWidth; ox++) {
        const output = ((n * outHeight + oy) * outWidth + ox) * outChannels;
        for (let ky = 0; ky < filterHeight; ky++) {
          const y = oy * strideHeight - padInfo.top + ky * dilationHeight;
          if (y < 0 || y >= inHeight) continue;
          for (let kx = 0; kx < filterWidth; kx++) {
            const x = ox * strideWidth - padInfo.left + kx * dilationWidth;
            if (x < 0 || x >= inWidth) continue;
            const input = ((n * inHeight + y) * inWidth + x) * inChannels;
            visit(output, input, (ky * filterWidth + kx) * inChannels * outChannels);
          }
        }
      }
    }
  }
}

/** y = x * w; x in NHWC, w in [height, width, in, out]. */
export function convolve(info: ConvolutionInfo, x: Float32Array, w: Float32Array): Float32Array {
  const { inChannels, outChannels } = info;
  const y = new Float64Array(tf.util.sizeFromShape(info.outShape));
  forEachTap(info, (output, input, filter) => {
    for (let c = 0; c < inChannels; c++) {
      const value = x[input + c] as number;
      const row = filter + c * outChannels;
      for (let o = 0; o < outChannels; o++) (y[output + o] as number) += value * (w[row + o] as number);
    }
  });
  return Float32Array.from(y);
}

/** The gradient of a convolution with respect to its input. */
export function convolveInputGradient(info: ConvolutionInfo, dy: Float32Array, w: Float32Array): Float32Array {
  const { inChannels, outChannels } = info;
  const dx = new Float64Array(tf.util.sizeFromShape(info.inShape));
  forEachTap(info, (output, input, filter) => {
    for (let c = 0; c < inChannels; c++) {
      const row = filter + c * outChannels;
      let sum = 0;
      for (let o = 0; o < outChannels; o++) sum += (dy[output + o] as number) * (w[row + o] as number);
      (dx[input + c] as number) += sum;
    }
  });
  return Float32Array.from(dx);
}

/** The gradient of a convolution with respect to its filter. */
export function convolveFilterGradient(info: ConvolutionInfo, x: Float32Array, dy: Float32Array): Float32Array {
  const { inChannels, outChannels } = info;
  const dw = new Float64Array(tf.util.sizeFromShape(info.filterShape));
  forEachTap(info, (output, input, filter) => {
    for (let c = 0; c < inChannels; c++) {
      const value = x[input + c] as number;
      const row = filter + c * outChannels;
      for (let o = 0; o < outChannels; o++) (dw[row + o] as number) += value * (dy[output + o] as number);
    }
  });
  return Float32Array.from(dw);
}
