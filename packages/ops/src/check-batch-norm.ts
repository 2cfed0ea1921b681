import * as tf from '@tensorflow/tfjs-core';

/** All axes but the last: those over which batch normalisation takes its statistics. */
export function statisticAxes(x: tf.Tensor): number[] {
  return Array.from({ length: x.rank - 1 }, (_, axis) => axis);
}

/**
 * Makes sure that x is [..., C], that each of the named tensors has one value per channel, and that the residual has the shape of x.
 *
 * @throws RangeError that begins with the caller's name.
 */
export function checkBatchNorm(
  caller: string,
  x: tf.Tensor,
  perChannel: Readonly<Record<string, tf.Tensor>>,
  residual: tf.Tensor | undefined,
): void {
  const channels = x.shape.at(-1) ?? 0;
  if (x.rank < 2) {
    throw new RangeError(
      `${caller}: x must have at least two axes [..., C], got shape [${x.shape}]. Add the batch axis.`,
    );
  }
  for (const [name, tensor] of Object.entries(perChannel)) {
    if (tensor.rank !== 1 || tensor.size !== channels) {
      throw new RangeError(
        `${caller}: ${name} must have shape [${channels}] as x has ${channels} channels, got [${tensor.shape}]. Give one value per channel.`,
      );
    }
  }
  if (residual && !tf.util.arraysEqual(residual.shape, x.shape)) {
    throw new RangeError(
      `${caller}: residual must have the shape of x, [${x.shape}], got [${residual.shape}]. Project the shortcut first.`,
    );
  }
}
