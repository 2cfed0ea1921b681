import * as tf from '@tensorflow/tfjs-core';
import { argumentError, showValue } from '@tfjs-ssl/checks';

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
    throw argumentError({
      fn: caller,
      argument: 'x',
      required: 'have shape [..., C] with at least two axes',
      got: x.shape,
      advice: 'Add the batch axis.',
    });
  }
  for (const [name, tensor] of Object.entries(perChannel)) {
    if (tensor.rank !== 1 || tensor.size !== channels) {
      throw argumentError({
        fn: caller,
        argument: name,
        required: `have shape [${channels}], the number of channels of x`,
        got: tensor.shape,
        advice: 'Pass one value per channel.',
      });
    }
  }
  if (residual && !tf.util.arraysEqual(residual.shape, x.shape)) {
    throw argumentError({
      fn: caller,
      argument: 'residual',
      required: `have the shape of x, ${showValue(x.shape)}`,
      got: residual.shape,
      advice: 'Project the shortcut first.',
    });
  }
}

/** @throws RangeError that begins with the caller's name, if there are two activations. */
export function checkActivation(caller: string, { relu, silu }: { relu?: boolean; silu?: boolean }): void {
  if (!relu || !silu) return;
  throw argumentError({
    fn: caller,
    argument: 'options.silu',
    required: 'be false beside relu',
    got: silu,
    advice: 'Choose one activation.',
  });
}
