import * as tf from '@tensorflow/tfjs-core';

type Kernel = 'AvgPool' | 'AvgPool3D';

interface PoolAttributes {
  readonly filterSize: number[] | number;
  readonly strides: number[] | number;
  readonly pad: 'valid' | 'same' | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** Windows along one axis. */
interface Axis {
  readonly length: number;
  readonly windows: number;
  readonly size: number;
  readonly stride: number;
  /** Padding before the first position. */
  readonly before: number;
}

function axesOf(kernel: Kernel, shape: number[], attributes: PoolAttributes): Axis[] {
  const { filterSize, strides, pad, dimRoundingMode } = attributes;
  const axis = (length: number, windows: number, size: number, stride: number, before: number): Axis => ({
    ...{ length, windows, size, stride, before },
  });
  if (kernel === 'AvgPool') {
    const info = tf.backend_util.computePool2DInfo(
      shape as [number, number, number, number],
      filterSize as [number, number],
      strides as [number, number],
      1,
      pad,
      dimRoundingMode,
    );
    return [
      axis(info.inHeight, info.outHeight, info.filterHeight, info.strideHeight, info.padInfo.top),
      axis(info.inWidth, info.outWidth, info.filterWidth, info.strideWidth, info.padInfo.left),
    ];
  }
  const info = tf.backend_util.computePool3DInfo(
    shape as [number, number, number, number, number],
    filterSize as [number, number, number],
    strides as [number, number, number],
    1,
    pad,
    dimRoundingMode,
  );
  return [
    axis(info.inDepth, info.outDepth, info.filterDepth, info.strideDepth, info.padInfo.front),
    axis(info.inHeight, info.outHeight, info.filterHeight, info.strideHeight, info.padInfo.top),
    axis(info.inWidth, info.outWidth, info.filterWidth, info.strideWidth, info.padInfo.left),
  ];
}

/** For each window: its size divided by the number of its positions inside the image. This is 1 if it does not reach into the padding. */
function excesses({ length, windows, size, stride, before }: Axis): number[] {
  return Array.from({ length: windows }, (_, i) => {
    const first = i * stride - before;
    const inside = Math.min(first + size, length) - Math.max(first, 0);
    return inside > 0 ? size / inside : 0;
  });
}

/**
 * Registers correct gradients of average pooling, in two and three dimensions, for windows that reach into the padding.
 *
 * The mean of a window is over its positions inside the image, so each of these positions gets dy divided by their number. TensorFlow.js always divides by the size of the
 * window, so its gradients are too small at borders.
 *
 * Importing this package calls the function. Call it again after you load a package that registers TensorFlow.js's own gradients once more, as tfjs-node does. You can
 * call it any number of times.
 */
export function registerAveragePoolGradients(): void {
  for (const kernelName of ['AvgPool', 'AvgPool3D'] as const) {
    const before = tf.getGradient(kernelName);
    if (!before || registered.has(before)) continue;
    const gradient: tf.GradConfig = {
      ...before,
      gradFunc: (dy, saved, attrs) => {
        const attributes = attrs as unknown as PoolAttributes;
        const [x] = saved as [tf.Tensor];
        const axes = axesOf(kernelName, x.shape, attributes);
        const along = axes.map(excesses);
        if (along.every((values) => values.every((value) => value === 1))) return before.gradFunc(dy, saved, attrs);
        return { x: () => paddedGradient(`${kernelName}Grad`, dy as tf.Tensor, x.shape, axes, along, attributes) };
      },
    };
    tf.unregisterGradient(kernelName);
    tf.registerGradient(gradient);
    registered.add(gradient);
  }
}

const registered = new WeakSet<tf.GradConfig>();

/** The gradient as one without padding, of the images with their padding, which is cut away again. */
function paddedGradient(
  kernel: string,
  dy: tf.Tensor,
  shape: number[],
  axes: readonly Axis[],
  along: readonly number[][],
  { filterSize, strides }: PoolAttributes,
): tf.Tensor {
  return tf.tidy(() => {
    const weighted = along.reduce((product, values, i) => {
      const broadcast = dy.shape.map((_, place) => (place === i + 1 ? values.length : 1));
      return tf.mul(product, tf.tensor(values, broadcast, 'float32'));
    }, dy);
    const padded = [...shape];
    axes.forEach(({ length, windows, size, stride, before }, i) => {
      padded[i + 1] = Math.max((windows - 1) * stride + size, before + length);
    });
    const inputs = { dy: weighted, input: tf.zeros(padded) };
    const whole = tf.engine().runKernel(kernel, inputs, { filterSize, strides, pad: 'valid' }) as tf.Tensor;
    const begin = shape.map((_, place) => axes[place - 1]?.before ?? 0);
    return tf.slice(whole, begin, shape);
  });
}
