import * as tf from '@tensorflow/tfjs-core';
import { argumentError, showValue } from '@tfjs-ssl/checks';
import { convolutionGeometry } from '@tfjs-ssl/ops';
import type { GpuBackend } from '../backend.ts';
import { arithmeticOf } from './arithmetic.ts';
import { filterGradientProduct, forwardProduct, inputGradientProduct } from './convolution-products.ts';
import { runProduct } from './run-product.ts';
import { rankSchedules } from './schedule.ts';

/** A convolution to measure. */
export interface MeasuredConvolution {
  /** Images, NHWC, float32. */
  readonly x: tf.Tensor4D;
  /** Filter, [height, width, in, out]. */
  readonly filter: tf.Tensor4D;
  /** Gradient of the output. */
  readonly dy: tf.Tensor4D;
  readonly stride: number;
  /** Padding on every side, in pixels. */
  readonly padding: number;
}

/** One way to compute a kernel. */
export interface Candidate {
  /** The tile, the part of it that a thread or subgroup computes, and the number of parts: for example `'128x64x16 by 8x8 / 4'`. */
  readonly name: string;
  /** Computes it once; the caller disposes the result. */
  run(): tf.Tensor;
}

/**
 * Lists ways to compute a convolution and its gradients in the backend's precision, starting with the one that the kernels use. Benchmarks use it to
 * find better entries for the table of tiles.
 *
 * @param most - largest number of ways for each kernel.
 */
export function convolutionCandidates(
  convolution: MeasuredConvolution,
  most: number,
): Record<'forward' | 'inputGradient' | 'filterGradient', Candidate[]> {
  const { x, filter, dy, stride, padding } = convolution;
  const backend = tf.backend() as unknown as GpuBackend;
  const g = convolutionGeometry(x.shape, filter.shape, { strides: stride, pad: padding });
  if (!g)
    throw argumentError({
      fn: 'convolutionCandidates',
      argument: 'x',
      required: 'fit the filter in a convolution of NHWC images',
      got: x.shape,
      shown: `${showValue(x.shape)} for a filter of shape ${showValue(filter.shape)}`,
      advice: 'Pass the shapes of a convolution that the engine computes.',
    });
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
