import * as tf from '@tensorflow/tfjs-core';
import { convolutionGeometry } from '@tfjs-ssl/ops';
import type { GpuBackend } from '../backend.ts';
import { arithmeticOf } from './arithmetic.ts';
import { filterGradientProduct, forwardProduct, inputGradientProduct } from './convolution-products.ts';
import { runProduct } from './run-product.ts';
import { rankSchedules } from './schedule.ts';

/** A convolution whose kernels are to be measured. */
export interface MeasuredConvolution {
  /** Images, NHWC. */
  readonly x: tf.Tensor4D;
  /** Filter, [height, width, in, out]. */
  readonly filter: tf.Tensor4D;
  /** Gradient of the output. */
  readonly dy: tf.Tensor4D;
  readonly stride: number;
  /** Zeros on every side, pixels. */
  readonly padding: number;
}

/** One way to compute a kernel. */
export interface Candidate {
  /** Tile, what a thread or subgroup has of it, and parts: for example `'128x64x16 by 8x8 / 4'`. */
  readonly name: string;
  /** Records it once; the caller disposes the result. */
  run(): tf.Tensor;
}

/**
 * Ways to compute a convolution and its gradients in the backend's precision, the one that kernels take first: what a benchmark needs to
 * find better numbers for the table of tiles.
 *
 * @param most - how many of each at most.
 */
export function convolutionCandidates(
  convolution: MeasuredConvolution,
  most: number,
): Record<'forward' | 'inputGradient' | 'filterGradient', Candidate[]> {
  const { x, filter, dy, stride, padding } = convolution;
  const backend = tf.backend() as unknown as GpuBackend;
  const g = convolutionGeometry(x.shape, filter.shape, { strides: stride, pad: padding });
  if (!g) throw new RangeError('convolutionCandidates: x and filter must be those of a convolution in NHWC.');
  const arithmetic = arithmeticOf(backend.matrixUnit, backend.precision);
  const candidates = (
    product: ReturnType<typeof forwardProduct>,
    left: tf.Tensor,
    right: tf.Tensor,
    shape: number[],
    half: boolean,
  ) =>
    rankSchedules(product, arithmetic, backend.device.limits)
      .slice(0, most)
      .map((schedule) => {
        const { tile, parts } = schedule;
        return {
          name: `${tile.rows}x${tile.columns}x${tile.depth} by ${tile.threadRows}x${tile.threadColumns}${parts > 1 ? ` / ${parts}` : ''}`,
          run: () =>
            tf
              .engine()
              .makeTensorFromTensorInfo(runProduct(backend, product, { left, right }, shape, { half, schedule })),
        };
      });
  return {
    forward: candidates(forwardProduct(g), x, filter, dy.shape, backend.storesHalf(dy.shape)),
    inputGradient: candidates(inputGradientProduct(g), dy, filter, x.shape, backend.storesHalf(x.shape)),
    filterGradient: candidates(filterGradientProduct(g), x, dy, filter.shape, false),
  };
}
