import '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs-core';
import { batchNormEvaluate, batchNormTrain, globalAveragePool } from '@tfjs-ssl/ops';
import { describeEngines } from '@tfjs-ssl/testing';
import { expect, it, vi } from 'vitest';
import { narrow } from '../../test-support/narrow.ts';
import { expectAsReference, gpu } from '../../test-support/reference.ts';

type Compute = (inputs: tf.Tensor[]) => tf.Tensor[];

interface Case {
  readonly shapes: number[][];
  /** Inputs that lie as float16. */
  readonly halves: number[];
  readonly compute: Compute;
  /** Results that lie as float16. */
  readonly results: number[];
}

const [image, channels] = [[2, 6, 5, 16], [16]]; // biome-ignore format: short

/** A function's result and its gradients, for a dy that is the last input. */
const withGradients =
  (f: (...xs: tf.Tensor[]) => tf.Tensor): Compute =>
  (inputs) => {
    const [xs, dy] = [inputs.slice(0, -1), inputs.at(-1) as tf.Tensor];
    let result: tf.Tensor | undefined;
    const gradients = tf.grads((...own: tf.Tensor[]) => {
      result = tf.keep(f(...own));
      return result;
    })(xs, dy);
    return [result as unknown as tf.Tensor, ...gradients];
  };

const normalised = (relu: boolean) =>
  withGradients((x, gamma, beta, residual) => {
    const options = { relu, ...(residual ? { residual } : {}) };
    return batchNormTrain(x!, gamma as tf.Tensor1D, beta as tf.Tensor1D, options).output;
  });

const evaluated: Compute = ([x, gamma, beta, mean, deviation, residual]) => {
  const statistics = { mean: mean as tf.Tensor1D, variance: tf.add(tf.square(deviation!), 0.5) as tf.Tensor1D };
  const options = { relu: true, ...(residual ? { residual } : {}) };
  return [batchNormEvaluate(x!, gamma as tf.Tensor1D, beta as tf.Tensor1D, statistics, options)];
};

const convolved = withGradients((x, filter) => tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, 1));

const cases: Record<string, Case> = {
  'a convolution and its gradients': {
    ...{ shapes: [image, [3, 3, 16, 8], [2, 6, 5, 8]], halves: [0, 2] },
    ...{ compute: convolved, results: [0, 1] },
  },
  'a convolution with bias and rectifier': {
    ...{ shapes: [image, [3, 3, 16, 8], [8]], halves: [0] },
    compute: ([x, filter, bias]) => [
      tf.fused.conv2d({
        ...{ x: x as tf.Tensor4D, filter: filter as tf.Tensor4D, bias: bias! },
        ...{ strides: 1, pad: 1, activation: 'relu' },
      }),
    ],
    results: [0],
  },
  'batch norm': {
    ...{ shapes: [image, channels, channels, image], halves: [0, 3] },
    ...{ compute: normalised(false), results: [0, 1] },
  },
  'batch norm with rectifier': {
    ...{ shapes: [image, channels, channels, image], halves: [0, 3] },
    ...{ compute: normalised(true), results: [0, 1] },
  },
  'batch norm with residual': {
    ...{ shapes: [image, channels, channels, image, image], halves: [0, 3, 4] },
    ...{ compute: normalised(false), results: [0, 1, 4] },
  },
  'batch norm with residual and rectifier': {
    ...{ shapes: [image, channels, channels, image, image], halves: [0, 3, 4] },
    ...{ compute: normalised(true), results: [0, 1, 4] },
  },
  'batch norm whose dy is float32': {
    ...{ shapes: [image, channels, channels, image], halves: [0] },
    ...{ compute: normalised(true), results: [0, 1] },
  },
  'batch norm in evaluation': {
    ...{ shapes: [image, channels, channels, channels, channels], halves: [0] },
    ...{ compute: evaluated, results: [0] },
  },
  'batch norm in evaluation, with residual': {
    ...{ shapes: [image, channels, channels, channels, channels, image], halves: [0, 5] },
    ...{ compute: evaluated, results: [0] },
  },
  'maximum pooling': {
    ...{ shapes: [image, [2, 3, 3, 16]], halves: [0, 1] },
    compute: withGradients((x) => tf.maxPool(x as tf.Tensor4D, 3, 2, 1)),
    results: [0, 1],
  },
  'global average pooling': {
    ...{ shapes: [image, [2, 16]], halves: [0] },
    compute: withGradients((x) => globalAveragePool(x as tf.Tensor4D)),
    results: [1],
  },
  'sums and means of columns': {
    ...{ shapes: [image], halves: [0], results: [] },
    compute: ([x]) => [tf.sum(x!, [0, 1, 2]), tf.mean(x!, [0, 1, 2])],
  },
  'a sum and a rectifier': {
    ...{ shapes: [image, image], halves: [0, 1] },
    compute: ([a, b]) => [tf.add(a!, b!), tf.add(a!, a!), tf.relu(a!)],
    results: [0, 1, 2],
  },
};

describeEngines('kernels on activations that lie as float16', () => {
  const onHalves = (of: Case) => {
    const widened = vi.spyOn(gpu().programs, 'get');
    const run: Compute = (inputs) => {
      const results = of.compute(inputs.map((tensor, i) => (of.halves.includes(i) ? narrow(tensor) : tensor)));
      expect(results.flatMap(({ dataId }, i) => (gpu().isHalf(dataId) ? [i] : []))).toEqual(of.results);
      // what waited is computed, and is not widened for it
      for (const { dataId } of results) gpu().settle(dataId, true);
      expect(widened.mock.calls.filter(([{ key }]) => key.startsWith('Widen'))).toEqual([]);
      return results;
    };
    return { run, done: () => widened.mockRestore() };
  };

  it.for(Object.keys(cases))('%s: as in float32, and nothing is widened', async (name, { skip }) => {
    skip(!gpu().device.features.has('shader-f16'), 'this device has no float16');
    const of = cases[name] as Case;
    const { run, done } = onHalves(of);
    await expectAsReference(of.shapes, run, { precision: 'mixed', tolerance: 2e-3, compose: of.compute });
    done();
  });

  it('batch norm on a device that binds eight buffers', async ({ skip }) => {
    const { device } = gpu();
    skip(!device.features.has('shader-f16'), 'this device has no float16');
    const limits = vi.spyOn(device, 'limits', 'get').mockReturnValue({
      ...{ maxStorageBuffersPerShaderStage: 8, maxComputeWorkgroupsPerDimension: 65535 },
      ...{ minUniformBufferOffsetAlignment: 256, maxStorageBufferBindingSize: 2 ** 27 },
    } as GPUSupportedLimits);
    for (const name of ['batch norm', 'batch norm with residual and rectifier']) {
      const of = cases[name] as Case;
      const { run, done } = onHalves(of);
      await expectAsReference(of.shapes, run, { precision: 'mixed', tolerance: 2e-3, compose: of.compute });
      done();
    }
    limits.mockRestore();
  });

  it('gives float32 in float32', ({ skip }) => {
    skip(!gpu().device.features.has('shader-f16'), 'this device has no float16');
    const results = tf.tidy(() => {
      const x = narrow(tf.ones(image)) as tf.Tensor4D;
      const [scale, shift] = [tf.ones([16]), tf.zeros([16])] as [tf.Tensor1D, tf.Tensor1D];
      const filter = tf.ones([1, 1, 16, 4]) as tf.Tensor4D;
      return [
        batchNormTrain(x, scale, shift).output,
        tf.conv2d(x, filter, 1, 'valid'),
        tf.maxPool(x, 2, 1, 'valid'),
        tf.relu(x),
        tf.add(x, x),
      ];
    });
    expect(results.map(({ dataId }) => gpu().isHalf(dataId))).toEqual(results.map(() => false));
    tf.dispose(results);
  });
});
