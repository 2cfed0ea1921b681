import * as tf from '@tensorflow/tfjs-core';
import { argumentError, checkNumber } from '@tfjs-ssl/checks';
import { stopGradient, unitRows } from '@tfjs-ssl/ops';
import { normal, SeededValues, seedNumber } from '../seeded-values.ts';

/** Options of {@link featureQueue}. */
export interface FeatureQueueOptions {
  /** Rows that the queue holds, an integer >= 1. MoCo takes 65,536, SwAV 3,840. */
  readonly size: number;
  /** Elements of a row, an integer >= 1: the output size of the head. */
  readonly width: number;
  /** Seed of the first rows; equal seeds give equal rows on every engine. Default 0. */
  readonly seed?: number | string;
}

/** The newest rows of a training: see {@link featureQueue}. */
export interface FeatureQueue {
  /**
   * The rows, shape [size, width], float32, each of unit length, oldest first; a constant to gradients. Give it to the trainer's `buffers`,
   * so that it is saved with the run.
   */
  readonly rows: tf.Variable<tf.Rank.R2>;
  /**
   * Puts rows in the place of the oldest. Do it after the loss has used {@link FeatureQueue.rows}: a row must not be a negative of itself.
   *
   * @param features - shape [N, width], float32, at most `size` rows; normalised here. No gradient flows to them. Several ranks enqueue the rows of
   * all, `gatherViews(keys, { views: 1 })`, so that their queues stay the same.
   * @throws RangeError if there is no row, there are more than the queue holds, or they have another width; TypeError if they are not float32.
   */
  enqueue(features: tf.Tensor2D): void;
  /** Frees the rows. */
  dispose(): void;
}

/**
 * A queue of normalised features of earlier steps: MoCo's dictionary of negatives, SwAV's memory for small batches.
 *
 * It starts with random directions, which are replaced after size / N steps. Its state is one variable, so a step with it can be captured
 * and a run resumed exactly. A step copies the queue once.
 *
 * @param options - size, width, seed.
 * @returns the queue; dispose it.
 * @throws RangeError if a number is out of range.
 *
 * @example
 * ```ts
 * import * as tf from '@tensorflow/tfjs-core';
 * import { startEngine } from '@tfjs-ssl/engine';
 * import { featureQueue } from '@tfjs-ssl/layers';
 * import { infoNCE } from '@tfjs-ssl/losses';
 *
 * await startEngine('auto');
 * const queue = featureQueue({ size: 256, width: 16 });
 * const queries = tf.randomNormal<tf.Rank.R2>([32, 16]);
 * const keys = tf.randomNormal<tf.Rank.R2>([32, 16]);
 * const loss = infoNCE(queries, keys, { temperature: 0.2, negatives: queue.rows, inBatch: false });
 * queue.enqueue(keys); // after use
 * console.log(await loss.array());
 * ```
 *
 * @see He et al., "Momentum Contrast for Unsupervised Visual Representation Learning" (2020), section 3.2 and algorithm 1.
 */
export function featureQueue(options: FeatureQueueOptions): FeatureQueue {
  const { size, width, seed = 0 } = options;
  checkNumber('featureQueue', 'size', size, { min: 1, integer: true }, 'It is a number of rows.');
  checkNumber('featureQueue', 'width', width, { min: 1, integer: true }, 'It is the output size of the head.');
  const values = new SeededValues(seedNumber(seed), 'featureQueue', 'rows', normal(1));
  const rows = tf.tidy(() => tf.variable(unitRows(values.apply([size, width]) as tf.Tensor2D), false));
  return {
    rows,
    enqueue(features) {
      checkFeatures(features, size, width);
      tf.tidy(() => {
        const [count] = features.shape;
        const next = stopGradient(() => {
          const added = unitRows(features);
          return count === size ? added : tf.concat([tf.slice(rows, [count, 0], [size - count, width]), added]);
        });
        rows.assign(next);
      });
    },
    dispose: () => rows.dispose(),
  };
}

function checkFeatures(features: tf.Tensor, size: number, width: number): void {
  const fault = { fn: 'featureQueue', argument: 'features', got: features.shape };
  if (features.rank !== 2 || features.shape[1] !== width) {
    const required = `have rows of ${width} elements`;
    throw argumentError({ ...fault, required, advice: 'The width of the queue is the output size of the head.' });
  }
  if ((features.shape[0] as number) > size) {
    const required = `have at most ${size} rows, as many as the queue holds`;
    throw argumentError({ ...fault, required, advice: 'Make the queue larger than a batch, usually many times.' });
  }
  if (features.shape[0] === 0) {
    throw argumentError({ ...fault, required: 'have at least one row', advice: 'Give it the rows of a batch.' });
  }
  if (features.dtype !== 'float32') {
    const advice = 'Cast them first.';
    throw argumentError({ ...fault, kind: 'type', required: 'be float32', shown: features.dtype, advice });
  }
}
