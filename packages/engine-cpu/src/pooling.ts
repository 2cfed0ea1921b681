import type * as tf from '@tensorflow/tfjs-core';

/** Largest value of every window and channel, NaN if the window has one; positions outside the image do not count. */
export function maxPool(info: tf.backend_util.Conv2DInfo, x: Float32Array): Float32Array {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth } = info;
  const { filterHeight, filterWidth, strideHeight, strideWidth, dilationHeight, dilationWidth, padInfo } = info;
  const y = new Float32Array(batchSize * outHeight * outWidth * inChannels).fill(Number.NEGATIVE_INFINITY);
  let output = 0;
  for (let n = 0; n < batchSize; n++) {
    for (let oy = 0; oy < outHeight; oy++) {
      for (let ox = 0; ox < outWidth; ox++, output += inChannels) {
        for (let ky = 0; ky < filterHeight; ky++) {
          const row = oy * strideHeight - padInfo.top + ky * dilationHeight;
          if (row < 0 || row >= inHeight) continue;
          for (let kx = 0; kx < filterWidth; kx++) {
            const column = ox * strideWidth - padInfo.left + kx * dilationWidth;
            if (column < 0 || column >= inWidth) continue;
            const input = ((n * inHeight + row) * inWidth + column) * inChannels;
            for (let c = 0; c < inChannels; c++) {
              y[output + c] = Math.max(y[output + c] as number, x[input + c] as number);
            }
          }
        }
      }
    }
  }
  return y;
}
