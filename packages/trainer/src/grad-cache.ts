import * as tf from '@tensorflow/tfjs-core';
import { checkChunks, checkEmbeddings, checkGradients, checkUses, checkWeights } from './check-grad-cache.ts';
import { addUp } from './chunks.ts';
import type { NamedTensors, NamedVariables } from './types.ts';

/** A part of a batch: a tensor, or tensors by name. */
export type Chunk = tf.Tensor | Readonly<Record<string, tf.Tensor>>;

/** Options of {@link gradCache}. */
export interface GradCacheOptions {
  /** Every trainable variable that `embed` uses, by name: `namedWeights({ encoder, head })` has parameters and buffers. */
  readonly parameters: NamedVariables;
  /** Variables that `embed` changes (running statistics). Default: none. */
  readonly buffers?: NamedVariables;
  /** Views of each image among the rows of a chunk's embeddings, which lie there view after view; 1 if all rows are of different images. */
  readonly views: number;
}

/**
 * Embeds a batch chunk by chunk in the memory of one chunk, for losses that compare all images of the batch.
 *
 * The embeddings are computed first, and nothing of their computation is kept. From the gradients of the loss with respect to them, the gradients of the variables
 * follow one chunk at a time: each chunk is embedded once more and forgotten again. This costs one more forward pass, and kernels of smaller batches. The loss is that of the whole
 * batch, with all its negatives, and the gradients equal those of the whole batch within rounding.
 *
 * Batch norm is the exception: it uses the statistics of a chunk. Its running statistics move once per chunk: what the second pass does to `buffers` is undone.
 * `embed` must compute the same both times, so it must not draw random numbers or use variables that it changes.
 *
 * Call it within the loss of a `Trainer`, or any function whose gradient you take. No gradient flows to the chunks.
 *
 * @param chunks - parts of the batch with equally many images: `feed.chunks(inputs, 8)` of `@tfjs-ssl/feed`, or `tf.split(x, 8)`.
 * @param options - see {@link GradCacheOptions}.
 * @param embed - returns the embeddings of a chunk, shape [views * n, D], float32, view after view.
 * @returns the embeddings of all, shape [views * N, D], view after view; the caller (or the surrounding `tf.tidy`) disposes it.
 * @throws RangeError or TypeError if chunks, weights or embeddings are not of the kind described; Error if a parameter gets no gradient, or if `embed` uses a trainable
 * variable that is not among the parameters.
 *
 * @example
 * ```ts
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { namedWeights } from '@tfjs-ssl/layers';
 * import { ntXent } from '@tfjs-ssl/losses';
 * import { mlpHead } from '@tfjs-ssl/projection-heads';
 * import { gradCache } from '@tfjs-ssl/trainer';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * await startEngine('auto');
 * const model = mlpHead({ inputSize: 16, hiddenSizes: [32], outputSize: 8 });
 * const x = tf.randomNormal<tf.Rank.R2>([128, 16]); // rows i and i + 64 are a pair
 * const { value, grads } = tf.variableGrads(() => {
 *   const z = gradCache(tf.split(x, 8), { ...namedWeights(model), views: 1 }, (rows) =>
 *     model.apply(rows, { training: true }),
 *   );
 *   return ntXent(z, { temperature: 0.5 });
 * });
 * console.log(await value.data(), Object.keys(grads).length);
 * ```
 *
 * @see Gao et al. 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup", section 3.
 */
export function gradCache<Part extends Chunk>(
  chunks: readonly Part[],
  options: GradCacheOptions,
  embed: (chunk: Part) => tf.Tensor2D,
): tf.Tensor2D {
  const { parameters, buffers = {}, views } = options;
  checkChunks(chunks);
  checkWeights(parameters, buffers, views);
  const names = Object.keys(parameters);
  const variables = Object.values(parameters);

  const gradientsOf = (chunk: Part, dy: tf.Tensor2D): NamedTensors => {
    const used = () => {
      const embeddings = embed(chunk);
      checkUses({ ...parameters, ...buffers });
      return embeddings;
    };
    const grads = tf.engine().gradients(used, variables, dy, true).grads as ReadonlyArray<tf.Tensor | undefined>;
    checkGradients(names, grads);
    return Object.fromEntries(names.map((name, i) => [name, grads[i] as tf.Tensor]));
  };

  const run = tf.customGrad((...args) => {
    const save = args.pop() as unknown as tf.GradSaveFunc;
    const made: tf.Tensor2D[] = [];
    for (const chunk of chunks) made.push(tf.tidy(() => checkEmbeddings(embed(chunk), views, made[0])));
    save(chunks.flatMap(tensorsOf));
    return {
      value: joinViews(made, views),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        onOwnTape(() =>
          tf.tidy(() => {
            const kept = [...saved];
            const before = Object.values(buffers).map((buffer) => tf.clone(buffer as tf.Tensor));
            const parts = chunks.map((chunk, i) => ({
              chunk: refill(chunk, kept),
              dy: partOf(dy, views, chunks.length, i),
            }));
            const sum = addUp(parts, (part) => gradientsOf(part.chunk, part.dy));
            Object.values(buffers).forEach((buffer, i) => {
              buffer.assign(before[i] as tf.Tensor);
            });
            return names.map((name) => sum[name] as tf.Tensor);
          }),
        ),
    };
  });
  return run(...variables) as tf.Tensor2D;
}

const tensorsOf = (chunk: Chunk): tf.Tensor[] => (chunk instanceof tf.Tensor ? [chunk] : Object.values(chunk));

/** A chunk of the kept tensors, which are taken off the list: what a loss makes is gone by the time of its gradient. */
function refill<Part extends Chunk>(chunk: Part, kept: tf.Tensor[]): Part {
  if (chunk instanceof tf.Tensor) return kept.shift() as unknown as Part;
  return Object.fromEntries(Object.keys(chunk).map((name) => [name, kept.shift()])) as unknown as Part;
}

/** Embeddings of all chunks, each view after view, as one tensor, view after view. */
function joinViews(parts: readonly tf.Tensor2D[], views: number): tf.Tensor {
  const [rows, columns] = (parts[0] as tf.Tensor2D).shape;
  const byView = parts.map((part) => tf.reshape(part, [views, rows / views, columns]));
  return tf.reshape(tf.concat(byView, 1), [parts.length * rows, columns]);
}

/** The rows of one chunk of what {@link joinViews} has joined. */
function partOf(joined: tf.Tensor, views: number, chunks: number, chunk: number): tf.Tensor2D {
  const [rows, columns] = joined.shape as [number, number];
  const images = rows / views / chunks;
  const byView = tf.reshape(joined, [views, chunks * images, columns]);
  return tf.reshape(tf.slice(byView, [0, chunk * images, 0], [views, images, columns]), [views * images, columns]);
}

/**
 * Runs a function that takes gradients within the gradient of another: TensorFlow.js has one tape, and the inner gradient would take that of the
 * outer one for its own and free it.
 */
function onOwnTape<Result>(run: () => Result): Result {
  const { state } = tf.engine();
  const outer = state.activeTape;
  try {
    return run();
  } catch (error) {
    if (state.activeTape !== outer) for (const { saved } of state.activeTape ?? []) tf.dispose(saved);
    throw error;
  } finally {
    state.activeTape = outer;
  }
}
