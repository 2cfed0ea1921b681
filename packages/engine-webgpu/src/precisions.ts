import type { Precision } from '@tfjs-ssl/ops';

/** Arithmetic that the kernels of this engine can train with on a device: mixed precision takes float16 in shaders. */
export function precisionsOf(device: GPUDevice): readonly Precision[] {
  return device.features.has('shader-f16') ? ['float32', 'mixed'] : ['float32'];
}
