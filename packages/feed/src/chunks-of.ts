import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import type { ImageTransfer } from './image-transfer.ts';

/** The inputs of a feed's step. */
type Inputs = Readonly<Record<'images' | 'table', tf.Tensor>> & { readonly labels?: tf.Tensor };

/** What the feed is. */
interface Feed {
  readonly batchSize: number;
  readonly views: number;
  /** Whether `labels` is an input of the feed. */
  readonly labelled: boolean;
  readonly transfer: ImageTransfer;
}

/**
 * Divides the inputs of a step into those of smaller batches.
 *
 * @param inputs - `images` and `labels` have a row for each image, `table` one for each view, view after view. Others go into every chunk as they are.
 */
export function chunksOf<Given extends Inputs>(
  inputs: Given,
  count: number,
  { batchSize, views, labelled, transfer }: Feed,
): Given[] {
  if (!Number.isInteger(count) || count < 1 || batchSize % count !== 0) {
    throw argumentError({
      fn: 'chunks',
      argument: 'count',
      required: `be an integer that divides the batch of ${batchSize} images`,
      got: count,
      advice: 'Chunks have equally many images.',
    });
  }
  const images = batchSize / count;
  const { table } = inputs;
  const columns = table.shape[1] as number;
  const byView = tf.reshape(table, [views, batchSize, columns]);
  return Array.from({ length: count }, (_, chunk) => {
    const numbers = tf.slice(byView, [0, chunk * images, 0], [views, images, columns]);
    return {
      ...inputs,
      ...transfer.part(inputs.images, chunk * images, images),
      table: tf.reshape(numbers, [views * images, columns]),
      ...(labelled && inputs.labels && { labels: tf.slice(inputs.labels, chunk * images, images) }),
    };
  });
}
