/** Name of an EfficientNet. */
export type EfficientNetName =
  | 'efficientnet_b0'
  | 'efficientnet_b1'
  | 'efficientnet_b2'
  | 'efficientnet_b3'
  | 'efficientnet_b4';

/** How an EfficientNet differs from B0. */
export interface EfficientNetScale {
  /** Factor on the channels of every stage. */
  readonly width: number;
  /** Factor on the blocks of every stage. */
  readonly depth: number;
}

/**
 * Width and depth of every EfficientNet.
 *
 * @see Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (2019), section 3.3.
 */
export const efficientNets: Readonly<Record<EfficientNetName, EfficientNetScale>> = {
  efficientnet_b0: { width: 1, depth: 1 },
  efficientnet_b1: { width: 1, depth: 1.1 },
  efficientnet_b2: { width: 1.1, depth: 1.2 },
  efficientnet_b3: { width: 1.2, depth: 1.4 },
  efficientnet_b4: { width: 1.4, depth: 1.8 },
};

/** A stage of B0. */
interface Stage {
  readonly expansion: number;
  readonly kernelSize: number;
  readonly stride: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly blocks: number;
}

/** The stages of B0, table 1 of the paper. */
const stages: readonly Stage[] = [
  { expansion: 1, kernelSize: 3, stride: 1, inputs: 32, outputs: 16, blocks: 1 },
  { expansion: 6, kernelSize: 3, stride: 2, inputs: 16, outputs: 24, blocks: 2 },
  { expansion: 6, kernelSize: 5, stride: 2, inputs: 24, outputs: 40, blocks: 2 },
  { expansion: 6, kernelSize: 3, stride: 2, inputs: 40, outputs: 80, blocks: 3 },
  { expansion: 6, kernelSize: 5, stride: 1, inputs: 80, outputs: 112, blocks: 3 },
  { expansion: 6, kernelSize: 5, stride: 2, inputs: 112, outputs: 192, blocks: 4 },
  { expansion: 6, kernelSize: 3, stride: 1, inputs: 192, outputs: 320, blocks: 1 },
];

/** One inverted bottleneck. */
export interface BlockPlan {
  /** torchvision's name, for example `features.2.0`. */
  readonly name: string;
  readonly inputs: number;
  /** Channels of the depthwise convolution; equal to `inputs` where there is no expansion. */
  readonly expanded: number;
  readonly outputs: number;
  readonly kernelSize: number;
  readonly stride: number;
  /** Channels between the linear layers of the gate: a quarter of the block's input. */
  readonly squeezed: number;
  /** Whether the input is added to the output. */
  readonly residual: boolean;
}

/** Channels and blocks of a complete network. */
export interface NetworkPlan {
  readonly stem: number;
  readonly blocks: readonly BlockPlan[];
  readonly features: number;
}

/** The nearest multiple of eight that is no more than a tenth below. */
function channelsOf(channels: number): number {
  const rounded = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}

/** Every layer's channels for factors on B0's width and depth. */
export function planNetwork({ width, depth }: EfficientNetScale): NetworkPlan {
  const blocks = stages.flatMap((stage, s) => {
    const outputs = channelsOf(stage.outputs * width);
    return Array.from({ length: Math.ceil(stage.blocks * depth) }, (_, index): BlockPlan => {
      const inputs = index === 0 ? channelsOf(stage.inputs * width) : outputs;
      const stride = index === 0 ? stage.stride : 1;
      return {
        name: `features.${s + 1}.${index}`,
        inputs,
        expanded: channelsOf(inputs * stage.expansion),
        outputs,
        kernelSize: stage.kernelSize,
        stride,
        squeezed: Math.max(1, Math.floor(inputs / 4)),
        residual: stride === 1 && inputs === outputs,
      };
    });
  });
  const last = blocks.at(-1) as BlockPlan;
  return { stem: (blocks[0] as BlockPlan).inputs, blocks, features: 4 * last.outputs };
}
