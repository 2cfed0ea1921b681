import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import type { InputSpecs, InputTensors } from '@tfjs-ssl/engine';
import type { NamedTensors } from './types.ts';

/** Divides the inputs of a step into those of chunks of equal size. */
export type Chunks<Inputs extends InputSpecs> = (
  inputs: InputTensors<Inputs>,
) => ReadonlyArray<{ readonly [Name in keyof Inputs]: tf.Tensor }>;

/** The chunks of a step: all of it where there is no function that divides it. */
export function chunksOf<Inputs extends InputSpecs>(
  inputs: InputTensors<Inputs>,
  divide: Chunks<Inputs> | undefined,
): readonly InputTensors<Inputs>[] {
  if (!divide) return [inputs];
  const chunks: unknown = divide(inputs);
  if (Array.isArray(chunks) && chunks.length > 0) return chunks;
  throw argumentError({
    kind: 'type',
    fn: 'Trainer',
    argument: 'chunks',
    required: 'return a list of inputs, at least one',
    got: chunks,
    advice: 'Return feed.chunks(inputs, count), or the inputs cut into parts of equal size.',
  });
}

/** The sum of the gradients of all chunks. Besides the sum, those of one chunk are alive at a time. */
export function addUp<Chunk>(chunks: readonly Chunk[], gradientsOf: (chunk: Chunk) => NamedTensors): NamedTensors {
  let sum: NamedTensors | null = null;
  for (const chunk of chunks) {
    const before: NamedTensors | null = sum;
    sum = tf.tidy(() => {
      const gradients = gradientsOf(chunk);
      if (!before) return gradients;
      return Object.fromEntries(
        Object.entries(gradients).map(([name, gradient]) => [name, tf.add(before[name] as tf.Tensor, gradient)]),
      );
    });
    if (before) tf.dispose(before);
  }
  return sum as unknown as NamedTensors;
}

/** The means over the chunks of as many values as each has; `values` holds them one by one, shape [1], chunk after chunk. */
export function meanOfChunks(values: readonly tf.Tensor[], chunks: number): tf.Tensor1D {
  const all = tf.concat([...values]) as tf.Tensor1D;
  return chunks === 1 ? all : tf.mean<tf.Tensor1D>(tf.reshape(all, [chunks, -1]), 0);
}
