import * as tf from '@tensorflow/tfjs-core';

/** Throws unless every list has one tensor for each parameter, of its shape. */
export function checkParameterLists(
  fn: string,
  parameters: readonly tf.Tensor[],
  lists: Record<string, readonly tf.Tensor[]>,
): void {
  for (const [name, list] of Object.entries(lists)) {
    if (list.length !== parameters.length) {
      throw new RangeError(
        `${fn}: ${name} must have one tensor per parameter, ${parameters.length}, got ${list.length}. Pass the lists in the same order.`,
      );
    }
    list.forEach((tensor, i) => {
      const expected = (parameters[i] as tf.Tensor).shape;
      if (!tf.util.arraysEqual(tensor.shape, expected)) {
        throw new RangeError(
          `${fn}: ${name}[${i}] must have the shape of its parameter, [${expected}], got [${tensor.shape}]. Pass the lists in the same order.`,
        );
      }
    });
  }
}
