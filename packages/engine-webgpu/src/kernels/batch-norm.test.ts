import * as tf from '@tensorflow/tfjs-core';
import { startEngine } from '@tfjs-ssl/engine';
import { batchNormTrain } from '@tfjs-ssl/ops';
import { describe, expect, it, vi } from 'vitest';
import { expectSameOnCpu } from '../../test-support/on-both.ts';
import type { GpuBackend } from '../backend.ts';

const normal = (shape: number[], seed: number, mean = 0, deviation = 1): tf.Tensor =>
  tf.randomNormal(shape, mean, deviation, 'float32', seed);

/** Forward and backward of a batch norm, all results. */
function run(shape: number[], options: { relu: boolean; residual: boolean }, mean = 0): Record<string, tf.Tensor> {
  const channels = shape.at(-1) as number;
  const x = normal(shape, 1, mean, 2);
  const [gamma, beta] = [normal([channels], 2, 1, 0.3), normal([channels], 3)] as [tf.Tensor1D, tf.Tensor1D];
  const weights = normal(shape, 4);
  const inputs = options.residual ? [x, gamma, beta, normal(shape, 5)] : [x, gamma, beta];
  let statistics: Record<string, tf.Tensor> = {};
  const f = (...[xs, scale, shift, residual]: tf.Tensor[]): tf.Scalar => {
    const { output, ...rest } = batchNormTrain(xs as tf.Tensor, scale as tf.Tensor1D, shift as tf.Tensor1D, {
      relu: options.relu,
      ...(residual ? { residual } : {}),
    });
    statistics = { output: tf.keep(tf.clone(output)), mean: tf.keep(rest.mean), variance: tf.keep(rest.variance) };
    return tf.sum(tf.mul(output, weights));
  };
  const gradients = tf.grads(f)(inputs);
  const kept = Object.entries(statistics).map(([name, tensor]) => {
    const own = tf.clone(tensor);
    tensor.dispose();
    return [name, own] as const;
  });
  return {
    ...Object.fromEntries(kept),
    ...Object.fromEntries(gradients.map((gradient, i) => [`gradient${i}`, gradient])),
  };
}

describe('BatchNormTrain and its gradient', () => {
  const shapes = [
    [2, 16, 16, 64], // a layer of ResNet-18
    [8, 2, 2, 512],
    [3, 5, 7, 3], // channels that do not come in fours
    [70, 20], // more than one tile, the second not full
    [5, 130],
    [1, 1, 2, 8],
    [2, 1],
  ];
  const variants = [
    { relu: false, residual: false },
    { relu: true, residual: false },
    { relu: false, residual: true },
    { relu: true, residual: true },
  ];

  it.each(shapes)('equals its composition on [%i, %i, %s, %s]', async (...shape) => {
    const own = shape.filter((length) => length !== undefined);
    // Of two rows all that is left of dx is rounding.
    for (const variant of variants) await expectSameOnCpu(() => run(own, variant), { atol: 1e-6, scaled: 2e-5 });
  });

  it.each([[[2, 8, 8, 16]], [[40, 7]]])('moves running statistics in place for [%s]', async (shape) => {
    const channels = shape.at(-1) as number;
    await expectSameOnCpu(
      () => {
        const [mean, variance] = [tf.variable(normal([channels], 1)), tf.variable(tf.abs(normal([channels], 2)))];
        for (const seed of [3, 4]) {
          const running = { mean, variance, momentum: 0.1 };
          batchNormTrain(normal(shape, seed, 3), tf.ones([channels]), tf.zeros([channels]), { running });
        }
        const results = { mean: tf.mul(mean, 1), variance: tf.mul(variance, 1) };
        tf.dispose([mean, variance]);
        return results;
      },
      { rtol: 1e-5 },
    );
  });

  it('equals its composition on a device that binds eight buffers, too', async () => {
    await startEngine('webgpu', { softwareAdapter: true });
    const { device } = tf.backend() as unknown as GpuBackend;
    const limits = vi.spyOn(device, 'limits', 'get').mockReturnValue({
      ...{ maxStorageBuffersPerShaderStage: 8, maxComputeWorkgroupsPerDimension: 65535 },
      minUniformBufferOffsetAlignment: 256,
    } as GPUSupportedLimits);
    const dispatches = vi.spyOn(GPUComputePassEncoder.prototype, 'dispatchWorkgroups');
    const bound = vi.spyOn(device, 'createBindGroup');
    for (const variant of variants) {
      await expectSameOnCpu(() => run([70, 20], variant), { scaled: 2e-5 });
    }
    expect(dispatches.mock.calls.length).toBeGreaterThanOrEqual(6 * variants.length);
    for (const [{ entries }] of bound.mock.calls) expect([...entries].length).toBeLessThanOrEqual(8 + 1);
    for (const mock of [limits, dispatches, bound]) mock.mockRestore();
  });

  it('takes two dispatches in either direction', async () => {
    await startEngine('webgpu', { softwareAdapter: true });
    const { device } = tf.backend() as unknown as GpuBackend;
    expect(device.limits.maxStorageBuffersPerShaderStage).toBeGreaterThanOrEqual(10);
    const dispatches = vi.spyOn(GPUComputePassEncoder.prototype, 'dispatchWorkgroups');
    const inputs = tf.tidy(() => [normal([4, 8, 8, 16], 1), tf.ones([16]), tf.zeros([16]), normal([4, 8, 8, 16], 2)]);
    const [x, gamma, beta, residual] = inputs as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    const runKernel = (name: string, tensors: tf.NamedTensorMap, attributes: tf.NamedAttrMap) =>
      tf.engine().runKernel(name, tensors, attributes) as unknown as tf.Tensor[];
    const forward = runKernel('BatchNormTrain', { x, gamma, beta, residual }, { epsilon: 1e-5, relu: true });
    expect(dispatches).toHaveBeenCalledTimes(2);
    const [output, mean, variance] = forward as [tf.Tensor, tf.Tensor, tf.Tensor];
    const backward = runKernel(
      'BatchNormTrainGrad',
      { dy: residual, x, output, mean, variance, gamma },
      { epsilon: 1e-5, relu: true, residual: true },
    );
    expect(dispatches).toHaveBeenCalledTimes(4);
    dispatches.mockRestore();
    tf.dispose([...inputs, ...forward, ...backward]);
  });

  it('keeps the digits of data far from zero', async () => {
    await expectSameOnCpu(
      () => {
        const { output, variance } = run([4, 40, 40, 16], { relu: false, residual: false }, 1000);
        return { output: output as tf.Tensor, variance: variance as tf.Tensor };
      },
      { scaled: 3e-4 },
    );
  });
});

describe('FusedBatchNorm', () => {
  it.each([[[2, 5, 5, 8]], [[3, 2, 2, 7]]])('equals the reference on [%s]', async (shape) => {
    const channels = shape.at(-1) as number;
    await expectSameOnCpu(
      () => {
        const x = normal(shape, 1) as tf.Tensor4D;
        const [mean, offset, scale] = [2, 3, 4].map((seed) => normal([channels], seed) as tf.Tensor1D);
        const variance = tf.abs(normal([channels], 5)) as tf.Tensor1D;
        return {
          all: tf.batchNorm(x, mean!, variance, offset, scale, 1e-5),
          unscaled: tf.batchNorm(x, mean!, variance, offset),
          plain: tf.batchNorm(x, mean!, variance),
        };
      },
      { scaled: 1e-6 },
    );
  });
});
