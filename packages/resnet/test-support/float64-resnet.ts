import { Float64Tape, type Images, type Parameters } from './float64-tape.ts';

/** Blocks of every stage. */
export const depths = { resnet18: [2, 2, 2, 2], resnet34: [3, 4, 6, 3] } as const;

/** How rectifiers and the maximum choose. */
export interface Choices {
  readonly passes: (layer: string, index: number, value: number) => boolean;
  /** Value of the maximum's input by which it chooses. */
  readonly poolValue?: (index: number) => number;
}

/** Runs a ResNet of basic blocks, with the stem of ImageNet, in training; the tape goes back through it. */
export function float64ResNet(
  name: keyof typeof depths,
  parameters: Parameters,
  pixels: Images,
  { passes, poolValue }: Choices,
): { features: Images; tape: Float64Tape } {
  const tape = new Float64Tape(parameters);
  let x = tape.normalise('bn1', tape.convolve('conv1', pixels, 7, 2), { passes });
  const { data } = x;
  x = tape.pool(x, poolValue ?? ((i) => data[i]!));
  for (const [stage, blocks] of depths[name].entries()) {
    for (let block = 0; block < blocks; block++) {
      const layer = `layer${stage + 1}.${block}`;
      const stride = stage > 0 && block === 0 ? 2 : 1;
      const y = tape.normalise(`${layer}.bn1`, tape.convolve(`${layer}.conv1`, x, 3, stride), { passes });
      const residual =
        stride === 2 ? tape.normalise(`${layer}.downsample.1`, tape.convolve(`${layer}.downsample.0`, x, 1, 2)) : x;
      x = tape.normalise(`${layer}.bn2`, tape.convolve(`${layer}.conv2`, y, 3, 1), { residual, passes });
    }
  }
  return { features: tape.average(x), tape };
}
