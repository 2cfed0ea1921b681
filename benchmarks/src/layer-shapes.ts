/** A convolution of a network. */
export interface LayerShape {
  /** For example `'3x3/2 64>128 @16'`: window, stride, channels, side of its input. */
  readonly name: string;
  readonly side: number;
  readonly channels: number;
  readonly outputChannels: number;
  readonly window: number;
  readonly stride: number;
  readonly padding: number;
  /** How often the network has it. */
  count: number;
}

/** Networks whose layers are measured. */
export const networks = ['resnet18', 'resnet50'] as const;
export type Network = (typeof networks)[number];

/** Every different convolution of a ResNet, in the order in which images pass them. */
export function layerShapes(network: Network, imageSize: number, width = 64): LayerShape[] {
  const found = new Map<string, LayerShape>();
  const add = (side: number, channels: number, outputChannels: number, window: number, stride: number): number => {
    const name = `${window}x${window}${stride > 1 ? `/${stride}` : ''} ${channels}>${outputChannels} @${side}`;
    const known = found.get(name);
    const padding = window >> 1;
    if (known) known.count++;
    else found.set(name, { name, side, channels, outputChannels, window, stride, padding, count: 1 });
    return Math.floor((side + 2 * padding - window) / stride) + 1;
  };
  let side = Math.ceil(add(imageSize, 3, width, 7, 2) / 2); // the max-pool halves it
  let channels = width;
  const depths = network === 'resnet18' ? [2, 2, 2, 2] : [3, 4, 6, 3];
  depths.forEach((blocks, stage) => {
    const inner = width * 2 ** stage;
    const outer = network === 'resnet18' ? inner : 4 * inner;
    for (let block = 0; block < blocks; block++) {
      const stride = block === 0 && stage > 0 ? 2 : 1;
      if (block === 0 && (stride > 1 || channels !== outer)) add(side, channels, outer, 1, stride);
      if (network === 'resnet18') {
        const next = add(side, channels, inner, 3, stride);
        add(next, inner, outer, 3, 1);
        side = next;
      } else {
        add(side, channels, inner, 1, 1);
        side = add(side, inner, inner, 3, stride);
        add(side, inner, outer, 1, 1);
      }
      channels = outer;
    }
  });
  return [...found.values()];
}
