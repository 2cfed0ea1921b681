import * as tf from '@tensorflow/tfjs-core';
import { startEngine } from '@tfjs-ssl/engine';
import { type RecordingSize, webgpuEngine } from '@tfjs-ssl/engine-webgpu';

/** Limits of SwiftShader: a GPU binds as many buffers or more, and has larger workgroups. */
const swiftShader = {
  maxStorageBuffersPerShaderStage: 12,
  maxComputeWorkgroupStorageSize: 32768,
  maxComputeInvocationsPerWorkgroup: 256,
  maxStorageBufferBindingSize: 2 ** 30,
  maxBufferSize: 2 ** 30,
} as const;

/**
 * Counts what the recording of a step holds on a device that binds 12 storage buffers, without a device that could compute it.
 *
 * Dawn's null device stands in, which claims SwiftShader's limits and compiles nothing: a recording that is only counted makes no buffers,
 * no bind groups and no submissions, so that all choices of kernels are those on SwiftShader and its memory is not needed. The engine is
 * stopped afterwards.
 *
 * @param count - makes the step and counts, for example by `engine.rehearse`.
 */
export async function countOnImaginedDevice(
  count: () => RecordingSize,
): Promise<RecordingSize & { storageBuffers: number }> {
  await startEngine('webgpu', { dawnOptions: ['backend=null'] } as object);
  const { device } = tf.backend() as unknown as { device: GPUDevice };
  const limits: Record<string, number> = {};
  for (const name in device.limits) limits[name] = device.limits[name as keyof GPUSupportedLimits] as number;
  const stand = (name: string, value: unknown) => Object.defineProperty(device, name, { value });
  stand('limits', { ...limits, ...swiftShader });
  stand('createShaderModule', () => ({}));
  stand('createBindGroupLayout', () => ({}));
  stand('createPipelineLayout', () => ({}));
  stand('createComputePipeline', ({ label }: GPUComputePipelineDescriptor) => ({
    label,
    getBindGroupLayout: () => ({}),
  }));
  try {
    return { ...count(), storageBuffers: swiftShader.maxStorageBuffersPerShaderStage };
  } finally {
    await webgpuEngine.stop();
  }
}
