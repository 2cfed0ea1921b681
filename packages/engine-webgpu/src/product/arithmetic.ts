import type { Precision } from '@tfjs-ssl/ops';
import type { Arithmetic, MatrixUnit } from './product.ts';

/** A configuration as Dawn lists them in the information on an adapter. */
interface SubgroupMatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

/** Information on an adapter, with the configurations that Dawn adds. */
export type AdapterInfo = GPUAdapterInfo & { readonly subgroupMatrixConfigs?: Iterable<SubgroupMatrixConfig> };

/**
 * How a device with or without matrix units multiplies matrices in a precision. `'mixed'` takes the matrix units where the device has some that multiply float16 and
 * add in float32 in subgroups of one size, and float16 operands elsewhere.
 */
export function arithmeticOf(unit: MatrixUnit | null, precision: Precision): Arithmetic {
  if (precision === 'float32') return { kind: 'float32' };
  return unit ? { kind: 'matrix', ...unit } : { kind: 'float16' };
}

/**
 * The configuration of subgroup matrices that kernels use, the largest of those that fit their tiles; null where there is none.
 *
 * @param info - of the adapter: Dawn's information on a device lists none.
 */
export function matrixUnitOf(device: GPUDevice, info: AdapterInfo): MatrixUnit | null {
  const { subgroupMinSize, subgroupMaxSize } = info;
  if (!device.features.has('chromium-experimental-subgroup-matrix' as GPUFeatureName)) return null;
  if (!subgroupMaxSize || subgroupMinSize !== subgroupMaxSize) return null;
  const sizes = [...(info.subgroupMatrixConfigs ?? [])]
    .filter(({ componentType, resultComponentType }) => componentType === 'f16' && resultComponentType === 'f32')
    .filter(({ M, N, K }) => [M, N, K].every((size) => size === 8 || size === 16))
    .sort((a, b) => b.M * b.N * b.K - a.M * a.N * a.K);
  const largest = sizes[0];
  return largest ? { rows: largest.M, columns: largest.N, depth: largest.K, subgroup: subgroupMaxSize } : null;
}
