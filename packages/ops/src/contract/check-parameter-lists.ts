import * as tf from '@tensorflow/tfjs-core';
import { argumentError, showValue } from '@tfjs-ssl/checks';

/** Throws unless every list has one tensor for each parameter, of its shape. */
export function checkParameterLists(
  fn: string,
  parameters: readonly tf.Tensor[],
  lists: Record<string, readonly tf.Tensor[]>,
): void {
  for (const [name, list] of Object.entries(lists)) {
    if (list.length !== parameters.length) {
      throw argumentError({
        fn,
        argument: name,
        required: `hold ${parameters.length} tensors, one per parameter`,
        got: list.length,
        advice: 'Pass all lists in the order of the parameters.',
      });
    }
    list.forEach((tensor, i) => {
      const expected = (parameters[i] as tf.Tensor).shape;
      if (!tf.util.arraysEqual(tensor.shape, expected)) {
        throw argumentError({
          fn,
          argument: `${name}[${i}]`,
          required: `have the shape of its parameter, ${showValue(expected)}`,
          got: tensor.shape,
          advice: 'Pass all lists in the order of the parameters.',
        });
      }
    });
  }
}
