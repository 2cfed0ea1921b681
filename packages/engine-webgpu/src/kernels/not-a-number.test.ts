import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { startEngine } from '@tfjs-ssl/engine';
import { batchNormEvaluate, batchNormTrain } from '@tfjs-ssl/ops';
import { describe, expect, it } from 'vitest';

/** Numbers with one NaN, for [1, 4, 4, channels]. */
const numbers = (channels: number): tf.Tensor4D => {
  const values = Float32Array.from({ length: 16 * channels }, (_, i) => Math.sin(i + 1));
  values[5 * channels] = Number.NaN;
  return tf.tensor4d(values, [1, 4, 4, channels]);
};

const ones = (...shape: number[]): tf.Tensor => tf.ones(shape);
type Op = (x: tf.Tensor4D) => tf.Tensor;

const fusedActivations = ['relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu'] as const;

const ops: Record<string, Op> = {
  abs: tf.abs,
  acos: tf.acos,
  acosh: tf.acosh,
  asin: tf.asin,
  asinh: tf.asinh,
  atan: tf.atan,
  atanh: tf.atanh,
  ceil: tf.ceil,
  cos: tf.cos,
  cosh: tf.cosh,
  elu: tf.elu,
  erf: tf.erf,
  exp: tf.exp,
  expm1: tf.expm1,
  floor: tf.floor,
  log: tf.log,
  log1p: tf.log1p,
  neg: tf.neg,
  relu: tf.relu,
  relu6: tf.relu6,
  leakyRelu: (x) => tf.leakyRelu(x),
  reciprocal: tf.reciprocal,
  round: tf.round,
  rsqrt: tf.rsqrt,
  selu: tf.selu,
  sigmoid: tf.sigmoid,
  sin: tf.sin,
  sinh: tf.sinh,
  softplus: tf.softplus,
  sqrt: tf.sqrt,
  square: tf.square,
  step: (x) => tf.step(x),
  tan: tf.tan,
  tanh: tf.tanh,
  prelu: (x) => tf.prelu(x, tf.fill(x.shape, 0.2)),
  clip: (x) => tf.clipByValue(x, -0.5, 0.5),
  logSigmoid: tf.logSigmoid,
  softmax: (x) => tf.softmax(x),
  logSoftmax: (x) => tf.logSoftmax(x),
  logSumExp: (x) => tf.logSumExp(x),
  maximum: (x) => tf.maximum(x, 0),
  maximumRight: (x) => tf.maximum(tf.zerosLike(x), x),
  minimum: (x) => tf.minimum(x, 0),
  mod: (x) => tf.mod(x, 2),
  pow: (x) => tf.pow(x, 2),
  atan2: (x) => tf.atan2(x, tf.onesLike(x)),
  squaredDifference: (x) => tf.squaredDifference(x, 1),
  max: (x) => tf.max(x, [1, 2]),
  maxAll: (x) => tf.max(x),
  min: (x) => tf.min(x, [1, 2]),
  sum: (x) => tf.sum(x),
  mean: (x) => tf.mean(x),
  prod: (x) => tf.prod(x, 1),
  maxPool: (x) => tf.maxPool(x, 2, 2, 0),
  avgPool: (x) => tf.avgPool(x, 2, 2, 0),
  maxPoolOne: (x) => tf.maxPool(x, 1, 1, 0),
  maxPoolAll: (x) => tf.maxPool(x, 4, 4, 0),
  maxPoolDilated: (x) => tf.pool(x, 2, 'max', 'valid', 2, 1),
  resizeBilinear: (x) => tf.image.resizeBilinear(x, [8, 8]),
  mirrorPad: (x) =>
    tf.mirrorPad(
      x,
      [
        [0, 0],
        [1, 1],
        [1, 1],
        [0, 0],
      ],
      'reflect',
    ),
  where: (x) => tf.where(tf.cast(tf.onesLike(x), 'bool'), x, tf.zerosLike(x)),
  cumsum: (x) => tf.cumsum(x, 1),
  localResponseNormalization: (x) => tf.localResponseNormalization(x),
  batchNorm: (x) => tf.batchNorm(x, ones(x.shape[3]) as tf.Tensor1D, ones(x.shape[3]) as tf.Tensor1D),
  ...Object.fromEntries(
    [false, true].flatMap((relu) => [
      [
        `batchNormTrain ${relu}`,
        (x: tf.Tensor4D) =>
          batchNormTrain(x, ones(x.shape[3]) as tf.Tensor1D, ones(x.shape[3]) as tf.Tensor1D, { relu }).output,
      ],
      [
        `batchNormEvaluate ${relu}`,
        (x: tf.Tensor4D) =>
          batchNormEvaluate(
            x,
            ones(x.shape[3]) as tf.Tensor1D,
            ones(x.shape[3]) as tf.Tensor1D,
            { mean: ones(x.shape[3]) as tf.Tensor1D, variance: ones(x.shape[3]) as tf.Tensor1D },
            { relu },
          ),
      ],
    ]),
  ),
  ...Object.fromEntries(
    fusedActivations.flatMap((activation) => [
      [
        `conv2d ${activation}`,
        (x: tf.Tensor4D) =>
          tf.fused.conv2d({
            x,
            filter: ones(1, 1, x.shape[3], 8) as tf.Tensor4D,
            strides: 1,
            pad: 0,
            activation,
            leakyreluAlpha: 0.2,
          }),
      ],
      [
        `depthwise ${activation}`,
        (x: tf.Tensor4D) =>
          tf.fused.depthwiseConv2d({
            x,
            filter: ones(1, 1, x.shape[3], 1) as tf.Tensor4D,
            strides: 1,
            pad: 0,
            activation,
            leakyreluAlpha: 0.2,
          }),
      ],
      [
        `matMul ${activation}`,
        (x: tf.Tensor4D) =>
          tf.fused.matMul({
            a: tf.reshape(x, [16, x.shape[3]]),
            b: ones(x.shape[3], 5) as tf.Tensor2D,
            activation,
            leakyreluAlpha: 0.2,
          }),
      ],
      [
        `conv2d dilated ${activation}`,
        (x: tf.Tensor4D) =>
          tf.fused.conv2d({
            x,
            filter: ones(2, 2, x.shape[3], 8) as tf.Tensor4D,
            strides: 1,
            pad: 0,
            dilations: 2,
            activation,
            leakyreluAlpha: 0.2,
          }),
      ],
    ]),
  ),
};

async function nansOn(engine: string, op: Op, channels: number): Promise<string> {
  await startEngine(engine, { softwareAdapter: true });
  const result = tf.tidy(() => op(numbers(channels)));
  const data = await result.data();
  result.dispose();
  return Array.from(data, (v) => (Number.isNaN(v) ? 'N' : '.')).join('');
}

/** Ops by which the reference's kernels lose a NaN. */
const lostByReference: Record<string, Op> = {
  sign: tf.sign,
  maxPoolWithArgmax: (x) => tf.slice(tf.maxPoolWithArgmax(x, 2, 2, 'valid').result as tf.Tensor, 0, 1),
  maxPool3d: (x) => tf.maxPool3d(tf.reshape(x, [1, 4, 4, x.shape[3], 1]) as tf.Tensor5D, [2, 2, 1], [2, 2, 1], 0),
};

describe('NaN', () => {
  it.each(Object.entries(lostByReference))('is kept by %s', async (_name, op) => {
    for (const channels of [3, 4]) expect((await nansOn('webgpu', op, channels)).replace(/\./g, '')).toBe('N');
  });

  it.each(Object.entries(ops))('is kept by %s as by the reference', async (_name, op) => {
    for (const channels of [3, 4]) {
      const expected = await nansOn('cpu', op, channels);
      expect(await nansOn('webgpu', op, channels)).toBe(expected);
      expect(expected).toContain('N');
    }
  });
});
