import type * as tf from '@tensorflow/tfjs-core';
import { dcl, type NtXentResult, ntXentWithRanks } from '@tfjs-ssl/losses';

type Loss = (projections: tf.Tensor2D, options: { readonly temperature: number }) => NtXentResult;

/** The losses by name: to add one, add its line. Each gives the ranks of the positives too, for the pretext accuracies. */
export const losses = {
  ntXent: ntXentWithRanks,
  dcl(projections, options) {
    const { ranks } = ntXentWithRanks(projections, options);
    return { loss: dcl(projections, options), ranks };
  },
} as const satisfies Record<string, Loss>;
