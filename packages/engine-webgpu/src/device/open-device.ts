import type { FoundAdapter } from './find-adapter.ts';

/** Features that kernels use where the adapter has them. */
const features = [
  'shader-f16',
  'subgroups',
  'subgroup-size-control',
  'chromium-experimental-subgroup-matrix',
  'timestamp-query',
  'bgra8unorm-storage', // used by kernels of TensorFlow.js that draw
];

/** Limits that are raised from WebGPU's defaults to what the adapter can do. */
const limits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
] as const;

/** Opens a device on an adapter, with all of the features and limits above that the adapter has. */
export async function openDevice({ adapter }: FoundAdapter): Promise<GPUDevice> {
  return adapter.requestDevice({
    label: 'tfjs-ssl',
    requiredFeatures: features.filter((name) => adapter.features.has(name as GPUFeatureName)) as GPUFeatureName[],
    requiredLimits: Object.fromEntries(limits.map((name) => [name, adapter.limits[name]])),
  });
}
