import type * as tf from '@tensorflow/tfjs-core';

/** How a window's margins are said to TensorFlow: by its own padding, or by a border that is added first. */
export interface Margins {
  readonly padding: 'SAME' | 'VALID';
  /** Border of the images in pixels, before and after [batch, height, width, channels]; null where there is none. */
  readonly border: readonly number[] | null;
}

interface Axis {
  readonly input: number;
  readonly output: number;
  readonly window: number;
  readonly stride: number;
  readonly before: number;
  readonly after: number;
}

/** What TensorFlow's SAME puts before the first pixel; null where it leads to another size. */
function sameBefore({ input, output, window, stride }: Axis): number | null {
  if (output !== Math.ceil(input / stride)) return null;
  return Math.floor(Math.max((output - 1) * stride + window - input, 0) / 2);
}

/**
 * Chooses the margins of a convolution or a pooling so that TensorFlow stays on its fast path.
 *
 * TensorFlow takes numbers for the padding (`EXPLICIT`), but leaves oneDNN then: a training step takes four times as long. So: `SAME` where it
 * means the same, else a border and `VALID`.
 *
 * @param info - sizes of the convolution or pooling.
 * @returns the margins, or null where neither leads to the sizes of `info` (a rounding mode other than floor).
 */
export function chooseMargins(info: tf.backend_util.Conv2DInfo): Margins | null {
  const { top, bottom, left, right } = info.padInfo;
  const axes: Axis[] = [
    {
      input: info.inHeight,
      output: info.outHeight,
      window: info.effectiveFilterHeight,
      stride: info.strideHeight,
      before: top,
      after: bottom,
    },
    {
      input: info.inWidth,
      output: info.outWidth,
      window: info.effectiveFilterWidth,
      stride: info.strideWidth,
      before: left,
      after: right,
    },
  ];
  const valid = (axis: Axis, before: number, after: number) =>
    axis.output === Math.floor((axis.input + before + after - axis.window) / axis.stride) + 1;
  if (axes.every((axis) => axis.before === 0 && valid(axis, 0, 0))) return { padding: 'VALID', border: null };
  if (axes.every((axis) => sameBefore(axis) === axis.before)) return { padding: 'SAME', border: null };
  if (!axes.every((axis) => valid(axis, axis.before, axis.after))) return null;
  return { padding: 'VALID', border: [0, 0, top, bottom, left, right, 0, 0] };
}
