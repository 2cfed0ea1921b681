import type { Precision } from '@tfjs-ssl/ops';

/** Arithmetic that the kernels of this engine can train with on a device. */
export function precisionsOf(_device: GPUDevice): readonly Precision[] {
  return ['float32'];
}
