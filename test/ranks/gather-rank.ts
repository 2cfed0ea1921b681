// One rank: the loss of gathered projections and its gradient, with batch norm before it. The first rank writes those of all.
import { writeFileSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import * as tf from '@tensorflow/tfjs-core';
import { registerEngine, startEngine } from '@tfjs-ssl/engine';
import { cpuEngine } from '@tfjs-ssl/engine-cpu';
import { simdEngine } from '@tfjs-ssl/engine-simd';
import { gatherViews, ntXent } from '@tfjs-ssl/losses';
import { acrossRanks, batchNormTrain } from '@tfjs-ssl/ops';
import { type ThreadSeat, threadWorld } from './thread-world.ts';

/** What to compute: images and views of the whole batch, and how much each rank's loss counts. */
export interface GatherTask {
  readonly engine: string;
  readonly images: number;
  readonly views: number;
  readonly weights: readonly number[];
  readonly out: string;
}

/** Of the whole batch, rows view after view. */
export interface GatherOutcome {
  /** Mean over the ranks. */
  readonly loss: number;
  /** Gradient of that mean with respect to every input row. */
  readonly gradient: number[];
  readonly gamma: number[];
  readonly runningMean: number[];
  readonly runningVariance: number[];
}

const seat: ThreadSeat & { readonly task: GatherTask } = workerData;
const { task, rank, size } = seat;
const world = threadWorld(seat);
registerEngine(cpuEngine);
registerEngine(simdEngine);
await startEngine(task.engine, { threads: 1 });

const columns = 5;
const own = task.images / size;
/** Far from zero and with large differences between images: statistics of a part differ from those of the whole. */
const element = (view: number, image: number, column: number): number =>
  3 * column + image + Math.sin(12.9898 * (1 + view) + 78.233 * image + 3.7 * column);
const rows = Array.from({ length: task.views * own }, (_, row) => {
  const [view, image] = [Math.floor(row / own), rank * own + (row % own)];
  return Array.from({ length: columns }, (_, column) => element(view, image, column));
});
const running = { mean: tf.variable(tf.zeros([columns])), variance: tf.variable(tf.ones([columns])), momentum: 0.1 };
const gamma = tf.tensor1d([1, -2, 0.5, 3, 1]);
const beta = tf.tensor1d([0, 1, 2, -1, 0.5]);
const weight = task.weights[rank] as number;

const { value, grads } = acrossRanks({ world, batchStatistics: 'batch', ownStatistics: new Set() }, () =>
  tf.valueAndGrads((x, scale) => {
    const { output } = batchNormTrain(x, scale as tf.Tensor1D, beta, {
      relu: true,
      residual: tf.mul(x, 0.01),
      running,
    });
    const gathered = gatherViews(output as tf.Tensor2D, { views: task.views });
    return tf.mul(ntXent(gathered, { temperature: 0.5 }), weight) as tf.Scalar;
  })([tf.tensor2d(rows), gamma]),
);

/** Sums over the ranks, divided by their number. */
const mean = (values: ArrayLike<number>): Float64Array => {
  const sums = Float64Array.from(values);
  world.allReduce(sums);
  return sums.map((sum) => sum / size);
};
const part = Float32Array.from(grads[0]?.dataSync() as Float32Array, (slope) => slope / size);
const whole = new Float32Array(part.length * size);
world.allGather(part, whole);
const length = own * columns;
const gradient = Array.from({ length: whole.length }, (_, i) => {
  const [view, place] = [Math.floor(i / (size * length)), i % (size * length)];
  const [of, within] = [Math.floor(place / length), place % length];
  return whole[(of * task.views + view) * length + within] as number;
});
const outcome: GatherOutcome = {
  loss: mean(value.dataSync())[0] as number,
  gradient,
  gamma: [...mean(grads[1]?.dataSync() as Float32Array)],
  runningMean: [...running.mean.dataSync()],
  runningVariance: [...running.variance.dataSync()],
};
if (rank === 0) writeFileSync(task.out, JSON.stringify(outcome));
