import type { ConvolutionGeometry } from '@tfjs-ssl/ops';

/** Operands of a convolution and its gradients, NHWC. */
export interface ConvolutionOperands {
  readonly x: Float32Array;
  readonly w: Float32Array;
  /** Gradient of the output. */
  readonly dy: Float32Array;
}

/** A convolution's output, and gradients of its input and weights. */
export interface Convolved<Values extends Float32Array | Float64Array = Float32Array | Float64Array> {
  readonly y: Values;
  readonly dx: Values;
  readonly dw: Values;
}

/**
 * A convolution and its gradients, term by term.
 *
 * @param g - its sizes.
 * @param operands - float32.
 * @param Values - what sums are kept in: with `Float32Array` each is rounded after every term, as by multiply-adds in one chain.
 */
export function convolvePlainly<Values extends Float32Array | Float64Array>(
  g: ConvolutionGeometry,
  { x, w, dy }: ConvolutionOperands,
  Values: new (size: number) => Values,
): Convolved<Values> {
  const { channels, outputChannels } = g;
  const y = new Values(dy.length);
  const dx = new Values(x.length);
  const dw = new Values(w.length);
  for (let n = 0; n < g.images; n++) {
    for (let i = 0; i < g.outputHeight; i++) {
      for (let j = 0; j < g.outputWidth; j++) {
        const to = ((n * g.outputHeight + i) * g.outputWidth + j) * outputChannels;
        for (let a = 0; a < g.filterHeight; a++) {
          const line = i * g.strideY + a - g.top;
          if (line < 0 || line >= g.height) continue;
          for (let b = 0; b < g.filterWidth; b++) {
            const column = j * g.strideX + b - g.left;
            if (column < 0 || column >= g.width) continue;
            const from = ((n * g.height + line) * g.width + column) * channels;
            const tap = (a * g.filterWidth + b) * channels * outputChannels;
            for (let c = 0; c < channels; c++) {
              const pixel = x[from + c]!;
              const row = tap + c * outputChannels;
              for (let o = 0; o < outputChannels; o++) {
                y[to + o]! += pixel * w[row + o]!;
                dx[from + c]! += dy[to + o]! * w[row + o]!;
                dw[row + o]! += pixel * dy[to + o]!;
              }
            }
          }
        }
      }
    }
  }
  return { y, dx, dw };
}

/** The norm of what two results differ by, through that of the second. */
export function relativeError(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (got[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  return Math.sqrt(difference / norm);
}
