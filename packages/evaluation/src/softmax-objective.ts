import * as tf from '@tensorflow/tfjs-core';

/** Rows whose logits are held at a time: 8192 x 200 classes x 4 bytes = 7 MB for each intermediate. */
const ROWS_AT_ONCE = 8192;

/** Mean cross-entropy of softmax regression with its gradients. */
export interface SoftmaxEvaluation {
  readonly meanCrossEntropy: number;
  /** d meanCrossEntropy / d weights, row-major [classes, D]. */
  readonly weightGradient: Float64Array;
  /** d meanCrossEntropy / d bias, [classes]. */
  readonly biasGradient: Float64Array;
}

/** Calls `use` with each block of rows. */
export async function forBlocks(rows: number, use: (start: number, count: number) => Promise<void>): Promise<void> {
  for (let start = 0; start < rows; start += ROWS_AT_ONCE) await use(start, Math.min(ROWS_AT_ONCE, rows - start));
}

/**
 * Evaluates mean cross-entropy and gradients of centred features: matrix products on the engine, sums over blocks in double precision.
 *
 * Centring before the products, and not after by the products' own linearity, keeps their float32 digits for what tells rows apart.
 */
export async function evaluateSoftmax(
  features: tf.Tensor2D,
  center: tf.Tensor1D,
  labels: tf.Tensor1D,
  weights: Float64Array,
  bias: Float64Array,
): Promise<SoftmaxEvaluation> {
  const [rows, columns] = features.shape;
  const classes = bias.length;
  const w = tf.tensor2d(Float32Array.from(weights), [classes, columns]);
  const b = tf.tensor1d(Float32Array.from(bias));
  const weightGradient = new Float64Array(weights.length);
  const biasGradient = new Float64Array(classes);
  let crossEntropy = 0;
  await forBlocks(rows, async (start, count) => {
    const results = tf.tidy(() => {
      const block = tf.sub(tf.slice(features, [start, 0], [count, columns]), center) as tf.Tensor2D;
      const logits = tf.add(tf.matMul(block, w, false, true), b);
      const targets = tf.oneHot(tf.slice(labels, start, count), classes, 1, 0, 'float32') as tf.Tensor2D;
      const shifted = tf.sub(logits, tf.max(logits, 1, true));
      const exponentials = tf.exp(shifted);
      const sums = tf.sum(exponentials, 1, true);
      const losses = tf.sub(tf.log(sums), tf.sum(tf.mul(shifted, targets), 1, true));
      const residuals = tf.sub(tf.div(exponentials, sums), targets) as tf.Tensor2D;
      return [losses, tf.matMul(residuals, block, true, false), tf.sum(residuals, 0)];
    });
    const [losses, dw, db] = await Promise.all(results.map((tensor) => tensor.data()));
    for (const loss of losses ?? []) crossEntropy += loss;
    dw?.forEach((value, i) => {
      weightGradient[i] = (weightGradient[i] as number) + value / rows;
    });
    db?.forEach((value, i) => {
      biasGradient[i] = (biasGradient[i] as number) + value / rows;
    });
    tf.dispose(results);
  });
  tf.dispose([w, b]);
  return { meanCrossEntropy: crossEntropy / rows, weightGradient, biasGradient };
}

/** Mean and variance of every column, in double precision sums over blocks. */
export async function columnMoments(features: tf.Tensor2D): Promise<{ mean: Float32Array; variance: Float64Array }> {
  const [rows, columns] = features.shape;
  const total = async (map: (block: tf.Tensor2D) => tf.Tensor): Promise<Float64Array> => {
    const sums = new Float64Array(columns);
    await forBlocks(rows, async (start, count) => {
      const sum = tf.tidy(() => tf.sum(map(tf.slice(features, [start, 0], [count, columns])), 0));
      (await sum.data()).forEach((value, i) => {
        sums[i] = (sums[i] as number) + value;
      });
      sum.dispose();
    });
    return sums.map((sum) => sum / rows);
  };
  const mean = Float32Array.from(await total((block) => block));
  const center = tf.tensor1d(mean);
  const variance = await total((block) => tf.square(tf.sub(block, center)));
  center.dispose();
  return { mean, variance };
}
