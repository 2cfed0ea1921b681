import * as tf from '@tensorflow/tfjs-core';
import { argumentError } from '@tfjs-ssl/checks';
import { ranksInStep, type World } from './world.ts';

/** Options of {@link gatherViews}. */
export interface GatherViewsOptions {
  /** Views of each image. Default: 2. */
  readonly views?: number;
}

/**
 * Collects the rows of all ranks, in the order that one process with the whole batch has, so that a loss compares every image with those of
 * all ranks.
 *
 *     whole[v N + r n + i] = rows_r[v n + i],    N = n ranks
 *
 * The gradient of a row is the sum of what all ranks' losses give it. If every rank computes the loss of all gathered rows, and the gradients
 * of the parameters are averaged over the ranks, as a trainer with a `world` does, they are those of one process with the whole batch.
 *
 * @param rows - shape [views * n, D], float32: the rows of this rank's n images, first view 0 of all, then view 1.
 * @param options - the number of views.
 * @returns shape [views * N, D], a new tensor that the caller (or the surrounding `tf.tidy`) disposes. Outside `acrossRanks`, and on one rank,
 * it holds the rows as they are.
 * @throws RangeError if the rows are not a multiple of the views; TypeError if they are not float32; Error on several ranks if the engine records
 * the step (`'webgpu'`), which then cannot exchange rows.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { gatherViews, ntXentWithRanks } from '@tfjs-ssl/ops';
 *
 * await startEngine('auto');
 * const projections = tf.randomNormal<tf.Rank.R2>([8, 16]); // two views of this rank's four images
 * const { loss } = ntXentWithRanks(gatherViews(projections), { temperature: 0.5 });
 * console.log(await loss.array());
 * ```
 */
export function gatherViews(rows: tf.Tensor2D, { views = 2 }: GatherViewsOptions = {}): tf.Tensor2D {
  const [count, columns] = rows.shape;
  if (rows.rank !== 2 || !(views >= 1) || count % views !== 0) {
    throw argumentError({
      fn: 'gatherViews',
      argument: 'rows',
      required: `have shape [views * n, D] with ${views} views`,
      got: rows.shape,
      advice: "Pass the rows of every view of this rank's images.",
    });
  }
  if (rows.dtype !== 'float32') {
    throw argumentError({
      kind: 'type',
      fn: 'gatherViews',
      argument: 'rows',
      required: 'be float32',
      got: rows.dtype,
      shown: rows.dtype,
      advice: 'Cast them first.',
    });
  }
  const ranks = ranksInStep();
  if (!ranks) return tf.clone(rows);
  const { world, exchanges = true } = ranks;
  if (!exchanges) {
    throw new Error(
      `gatherViews: ranks must be able to exchange rows within the step, got the engine '${tf.getBackend()}', which records it. ` +
        "Leave gatherViews out, so that each rank compares the images of its own part, or start 'simd'.",
    );
  }
  const gather = tf.customGrad((x) => ({
    value: tf.tensor2d(gathered(world, (x as tf.Tensor).dataSync<'float32'>(), views), [count * world.size, columns]),
    gradFunc: (dy: tf.Tensor) =>
      tf.tensor2d(scattered(world, dy.dataSync<'float32'>(), views), [count, columns]) as tf.Tensor,
  }));
  return gather(rows) as tf.Tensor2D;
}

/** The rows of all ranks, view after view. */
function gathered(world: World, rows: Float32Array, views: number): Float32Array {
  const byRank = new Float32Array(rows.length * world.size);
  world.allGather(rows, byRank);
  const byView = new Float32Array(byRank.length);
  eachBlock(byRank.length, views, world.size, (ofRank, ofView, length) => {
    byView.set(byRank.subarray(ofRank, ofRank + length), ofView);
  });
  return byView;
}

/** This rank's part of what all ranks add up. */
function scattered(world: World, byView: Float32Array, views: number): Float32Array {
  const byRank = new Float32Array(byView.length);
  eachBlock(byView.length, views, world.size, (ofRank, ofView, length) => {
    byRank.set(byView.subarray(ofView, ofView + length), ofRank);
  });
  const part = new Float32Array(byView.length / world.size);
  world.reduceScatter(byRank, part);
  return part;
}

/** Where a view of a rank begins in rank after rank, and in view after view. */
function eachBlock(
  total: number,
  views: number,
  ranks: number,
  visit: (ofRank: number, ofView: number, length: number) => void,
): void {
  const length = total / (views * ranks);
  for (let rank = 0; rank < ranks; rank++) {
    for (let view = 0; view < views; view++) {
      visit((rank * views + view) * length, (view * ranks + rank) * length, length);
    }
  }
}
