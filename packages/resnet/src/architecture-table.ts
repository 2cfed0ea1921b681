/** Name of a ResNet. */
export type ArchitectureName = 'resnet18' | 'resnet34' | 'resnet50' | 'resnet101' | 'resnet152';

/** Depth and block of a ResNet. */
export interface Architecture {
  readonly block: 'basic' | 'bottleneck';
  /** Number of blocks of the four stages. */
  readonly stages: readonly [number, number, number, number];
}

/**
 * Depth and block of every ResNet.
 *
 * @see He et al., "Deep Residual Learning for Image Recognition" (2016), table 1.
 */
export const architectures: Readonly<Record<ArchitectureName, Architecture>> = {
  resnet18: { block: 'basic', stages: [2, 2, 2, 2] },
  resnet34: { block: 'basic', stages: [3, 4, 6, 3] },
  resnet50: { block: 'bottleneck', stages: [3, 4, 6, 3] },
  resnet101: { block: 'bottleneck', stages: [3, 4, 23, 3] },
  resnet152: { block: 'bottleneck', stages: [3, 8, 36, 3] },
};
