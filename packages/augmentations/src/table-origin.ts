import type * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import type { ImageSize } from './check.ts';
import type { Parameters } from './transform.ts';

/** What the numbers of a table were drawn for. */
interface TableOrigin {
  readonly columns: readonly string[];
  readonly imageSize: ImageSize;
}

/** By the data of a tensor, which its reshaped copies share, or by the list of records. */
const origins = new WeakMap<object, TableOrigin>();

type Numbers = readonly Parameters[] | tf.Tensor2D;

const keyOf = (numbers: Numbers): object => ('dtype' in numbers ? numbers.dataId : numbers);

/** Remembers what numbers were drawn for. */
export function rememberOrigin<Of extends Numbers>(numbers: Of, origin: TableOrigin): Of {
  origins.set(keyOf(numbers), origin);
  return numbers;
}

/**
 * Throws if it is known that numbers were drawn for another chain or for images of another size: crops would then come from a corner, or
 * reach beyond the image. Nothing is known of a tensor made by hand.
 */
export function checkOrigin(numbers: Numbers, columns: readonly string[], imageSize: ImageSize): void {
  const origin = origins.get(keyOf(numbers));
  if (!origin) return;
  const [height, width] = origin.imageSize;
  if (height !== imageSize[0] || width !== imageSize[1]) {
    throw argumentError({
      fn: 'chain',
      argument: 'parameters',
      required: `be sampled for images of ${imageSize[0]} x ${imageSize[1]} pixels`,
      got: origin.imageSize,
      shown: `parameters for images of ${height} x ${width}`,
      advice: 'When you sample, pass the size of these images as imageSize.',
    });
  }
  if (origin.columns !== columns && origin.columns.join() !== columns.join()) {
    throw argumentError({
      fn: 'chain',
      argument: 'parameters',
      required: `have the columns ${columns.join(', ')}`,
      got: origin.columns,
      shown: origin.columns.join(', '),
      advice: 'Sample the parameters with the chain that applies them.',
    });
  }
}
