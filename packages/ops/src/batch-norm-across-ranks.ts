import * as tf from '@tensorflow/tfjs-core';
import { batchNormEvaluate } from './batch-norm-evaluate.ts';
import type { World } from './world.ts';

/** Statistics of the rows of all ranks. */
export interface CommonStatistics {
  /** Shape [C]. */
  readonly mean: tf.Tensor1D;
  /** Biased variance, shape [C]; NaN where it is not finite, so that it shows. */
  readonly variance: tf.Tensor1D;
  /** Rows of all ranks. */
  readonly rows: number;
}

/**
 * Joins the statistics that every rank has of its own rows, in double precision and without the squares of large means:
 *
 *     mean = sum_r n_r mean_r / n,    variance = sum_r n_r (variance_r + (mean_r - mean)^2) / n
 *
 * One exchange. All ranks get the same bits.
 *
 * @see Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances" (1979).
 */
export function commonStatistics(
  world: World,
  mean: tf.Tensor1D,
  variance: tf.Tensor1D,
  rows: number,
): CommonStatistics {
  const channels = mean.size;
  const own = Float64Array.of(rows, ...mean.dataSync(), ...variance.dataSync());
  const all = new Float64Array(own.length * world.size);
  world.allGather(own, all);
  const ranks = Array.from({ length: world.size }, (_, r) => all.subarray(r * own.length, (r + 1) * own.length));
  const total = ranks.reduce((sum, rank) => sum + (rank[0] as number), 0);
  const join = (value: (rank: Float64Array, channel: number) => number): Float64Array =>
    Float64Array.from(
      { length: channels },
      (_, channel) => ranks.reduce((sum, rank) => sum + (rank[0] as number) * value(rank, channel), 0) / total,
    );
  const means = join((rank, channel) => rank[1 + channel] as number);
  const variances = join((rank, channel) => {
    const away = (rank[1 + channel] as number) - (means[channel] as number);
    return (rank[1 + channels + channel] as number) + away * away;
  });
  const finite = Float32Array.from(variances, (value) => (Number.isFinite(Math.fround(value)) ? value : Number.NaN));
  return { mean: tf.tensor1d(Float32Array.from(means)), variance: tf.tensor1d(finite), rows: total };
}

/** What the gradient of a rank's own rows needs to become that of all rows. */
export interface OwnGradients {
  readonly x: tf.Tensor;
  readonly gamma: tf.Tensor1D;
  /** Statistics of all ranks. */
  readonly mean: tf.Tensor1D;
  readonly variance: tf.Tensor1D;
  readonly epsilon: number;
  /** The gradient of x as it would be if these rows were all. */
  readonly dx: tf.Tensor;
  readonly dgamma: tf.Tensor1D;
  readonly dbeta: tf.Tensor1D;
}

/**
 * The gradient of x where all ranks share their statistics. The one of a rank's own rows has too much of its own sums taken away and nothing of
 * the others' sums; the difference is a scale and a shift of the normalised rows:
 *
 *     dx + gamma / sqrt(variance + epsilon) ((dbeta / n - DBETA / N) + x^ (dgamma / n - DGAMMA / N))
 *
 * with capitals for the sums over all ranks. One exchange, and one pass over the rows.
 */
export function commonGradient(world: World, own: OwnGradients): tf.Tensor {
  const { x, gamma, mean, variance, epsilon, dx, dgamma, dbeta } = own;
  const channels = gamma.size;
  const sums = Float64Array.of(x.size / channels, ...dbeta.dataSync(), ...dgamma.dataSync());
  const all = sums.slice();
  world.allReduce(all);
  const [scales, variances] = [gamma.dataSync(), variance.dataSync()];
  const difference = (first: number): tf.Tensor1D =>
    tf.tensor1d(
      Float32Array.from({ length: channels }, (_, channel) => {
        const [ours, everyones] = [sums, all].map((of) => (of[first + channel] as number) / (of[0] as number)) as [
          number,
          number,
        ];
        return ((scales[channel] as number) / Math.sqrt((variances[channel] as number) + epsilon)) * (ours - everyones);
      }),
    );
  return batchNormEvaluate(x, difference(1 + channels), difference(1), { mean, variance }, { epsilon, residual: dx });
}
