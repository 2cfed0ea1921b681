import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { extractFeatures, knnAccuracy } from '@tfjs-ssl/evaluation';
import type { Data } from './data.ts';

/** Temperature of the votes of the neighbours, as in the kNN monitors of MoCo and SimSiam. */
const temperature = 0.1;

/**
 * Share of the validation images whose class the k nearest training images name rightly, on the features of the encoder.
 *
 * @param neighbours - k, at most the number of training images.
 * @param signal - stops it.
 * @returns a fraction.
 * @throws the signal's reason.
 */
export async function knnOf(
  encoder: LayersModel,
  data: Data,
  neighbours: number,
  signal: AbortSignal,
): Promise<number> {
  const onProgress = () => signal.throwIfAborted();
  const bank = await extractFeatures(encoder, data.train, { onProgress });
  const queries = await extractFeatures(encoder, data.val, { onProgress });
  const accuracy = await knnAccuracy({
    bank,
    bankLabels: data.train.labels,
    queries,
    queryLabels: data.val.labels,
    classes: data.train.classNames.length,
    k: neighbours,
    temperature,
  });
  tf.dispose([bank, queries]);
  return accuracy;
}
