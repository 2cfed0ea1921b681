import * as tf from '@tensorflow/tfjs-core';
import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import type { NamedVariables } from './types.ts';
import { untrainedVariables } from './untrained-variables.ts';

const fn = 'gradCache';

/** Throws unless chunks are tensors, or tensors by name. */
export function checkChunks(chunks: readonly unknown[]): void {
  const list: readonly unknown[] = Array.isArray(chunks) ? chunks : [];
  const wrong = list.findIndex((chunk) => {
    const tensors = chunk instanceof tf.Tensor ? [chunk] : Object.values(chunk ?? {});
    return tensors.length === 0 || !tensors.every((tensor) => tensor instanceof tf.Tensor);
  });
  if (list.length > 0 && wrong < 0) return;
  throw argumentError({
    kind: 'type',
    fn,
    argument: wrong < 0 ? 'chunks' : `chunks[${wrong}]`,
    required: wrong < 0 ? 'be a list of chunks, at least one' : 'be a tensor, or tensors by name',
    got: wrong < 0 ? chunks : list[wrong],
    advice: 'Pass feed.chunks(inputs, 8), or tf.split(x, 8).',
  });
}

/** Throws unless there are variables to train, and a number of views. */
export function checkWeights(parameters: NamedVariables, buffers: NamedVariables, views: number): void {
  checkNumber(fn, 'views', views, { min: 1, integer: true }, 'It is 2 if every chunk has two views of its images.');
  for (const [kind, variables] of Object.entries({ parameters, buffers })) {
    for (const [name, variable] of Object.entries(variables ?? {})) {
      if (variable instanceof tf.Variable) continue;
      throw argumentError({
        kind: 'type',
        fn,
        argument: `${kind}['${name}']`,
        required: 'be a tf.Variable',
        got: variable,
        advice: 'Pass those of namedWeights({ encoder, head }).',
      });
    }
  }
  if (Object.keys(parameters ?? {}).length > 0) return;
  throw argumentError({
    fn,
    argument: 'parameters',
    required: 'hold at least one variable',
    got: parameters,
    shown: 'none',
    advice: 'Pass those of namedWeights({ encoder, head }).',
  });
}

/** The embeddings of a chunk; throws unless they have rows for so many views, and the shape of the first chunk's. */
export function checkEmbeddings(embeddings: tf.Tensor2D, views: number, first: tf.Tensor2D | undefined): tf.Tensor2D {
  const isTensor = embeddings instanceof tf.Tensor;
  if (!isTensor || embeddings.rank !== 2 || embeddings.dtype !== 'float32' || embeddings.shape[0] % views !== 0) {
    throw argumentError({
      kind: isTensor && embeddings.dtype === 'float32' ? 'range' : 'type',
      fn,
      argument: 'embed',
      required: `return float32 of shape [rows, D], a multiple of ${views} rows (one per view of each image)`,
      got: embeddings,
      ...(isTensor && { shown: `${embeddings.dtype} of shape [${embeddings.shape}]` }),
      advice: 'Return the projections of all views of the chunk.',
    });
  }
  if (first && !tf.util.arraysEqual(embeddings.shape, first.shape)) {
    throw argumentError({
      fn,
      argument: 'embed',
      required: `return the same shape for every chunk, [${first.shape}] as for the first`,
      got: embeddings.shape,
      advice: 'Divide the batch into chunks of equal size.',
    });
  }
  return embeddings;
}

/** Throws if the tape has a trainable variable that is not among those known: it would not be trained, without a word. */
export function checkUses(known: NamedVariables): void {
  const names = untrainedVariables(known);
  if (names.length === 0) return;
  throw argumentError({
    fn,
    argument: 'parameters',
    required: 'hold every trainable variable that embed uses',
    got: names,
    shown: `none of ${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`,
    advice: 'Add them, or freeze them: `layer.trainable = false`.',
  });
}

/** Throws if a parameter has no gradient. */
export function checkGradients(names: readonly string[], gradients: ReadonlyArray<tf.Tensor | undefined>): void {
  const missing = names.filter((_, i) => !gradients[i]);
  if (missing.length === 0) return;
  throw argumentError({
    fn,
    argument: 'parameters',
    required: 'be used by embed',
    got: missing,
    shown: `no gradient for ${missing.join(', ')}`,
    advice: 'Leave out what only the loss uses.',
  });
}
