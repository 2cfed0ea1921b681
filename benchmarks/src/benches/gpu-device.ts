import * as tf from '@tensorflow/tfjs-core';
import { startEngine } from '@tfjs-ssl/engine';
import { measurePeaks, type PeakDevice } from '@tfjs-ssl/engine-webgpu/profile';
import type { Bench } from '../bench.ts';
import { runtimeName } from '../runtime.ts';
import { significant } from '../statistics.ts';

/** What the bench needs of the engine's backend. */
interface Backend extends PeakDevice {
  readonly info: GPUAdapterInfo & { readonly subgroupMatrixConfigs?: Iterable<Record<string, unknown>> };
}

/** Describes the device of the engine `webgpu` and what it can do. Run it first on a new machine. */
export const gpuDevice: Bench = {
  name: 'gpu-device',
  summary: 'the GPU that webgpu uses: adapter, driver, features, limits, matrix configurations, measured peaks',
  options: {},
  async run(_, log) {
    const engine = await startEngine('webgpu');
    log(`engine ${engine.name} ${engine.version} on ${engine.device}`);
    const backend = tf.backend() as unknown as Backend;
    const { device, info, matrixUnit } = backend;
    const limits: Record<string, number> = {};
    for (const name in device.limits) {
      const value = device.limits[name as keyof GPUSupportedLimits];
      if (typeof value === 'number') limits[name] = value;
    }
    const configurations = [...(info.subgroupMatrixConfigs ?? [])].map(
      ({ componentType, resultComponentType, M, N, K }) => `${componentType} to ${resultComponentType}, ${M}x${N}x${K}`,
    );
    const { multiplyAdd, matrix, bandwidth } = await measurePeaks(backend);
    const peaks = {
      multiplyAddTeraflops: significant(multiplyAdd / 1e12, 3),
      matrixTeraflops: matrix && significant(matrix / 1e12, 3),
      copyGigabytesPerSecond: significant(bandwidth / 1e9, 3),
    };
    const features = [...device.features].sort();
    return {
      record: {
        bench: gpuDevice.name,
        device: engine.device,
        runtime: runtimeName(engine.name),
        vendor: info.vendor,
        architecture: info.architecture,
        precisions: engine.precisions,
        features,
        matrixConfigurations: configurations,
        matrixUnit,
        limits,
        ...peaks,
      },
      table: [
        ['device', engine.device],
        ['precisions', engine.precisions.join(', ')],
        ['features', features.join(', ')],
        ['matrix units', configurations.join('; ') || 'none'],
        ['in use', matrixUnit ? JSON.stringify(matrixUnit) : 'none'],
        ['storage buffers', `${limits.maxStorageBuffersPerShaderStage} per stage`],
        [
          'workgroups',
          `${limits.maxComputeInvocationsPerWorkgroup} invocations, ${limits.maxComputeWorkgroupStorageSize} bytes`,
        ],
        ['largest binding', `${limits.maxStorageBufferBindingSize} bytes`],
        ['peaks', JSON.stringify(peaks)],
      ],
    };
  },
};
