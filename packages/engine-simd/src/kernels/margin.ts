import type { ConvolutionGeometry } from '@tfjs-ssl/ops';
import type { Runtime } from '../runtime.ts';
import { PAD_IMAGES } from '../task-ids.ts';

/** Whether a margin of zeros is put around the images first: with few channels, whole lines of taps are then one stretch of memory. */
export function wantsMargin(g: ConvolutionGeometry): boolean {
  return g.channels < 8 && g.filterHeight * g.filterWidth > 1;
}

/** Size of the images with the margin: what the taps reach. */
export function marginSize(g: ConvolutionGeometry): { height: number; width: number } {
  return {
    height: (g.outputHeight - 1) * g.strideY + g.filterHeight,
    width: (g.outputWidth - 1) * g.strideX + g.filterWidth,
  };
}

/** Calls `use` with the input, with a margin of zeros around it where the geometry wants one. */
export function withMargin(
  runtime: Runtime,
  g: ConvolutionGeometry,
  input: number,
  use: (address: number) => void,
): void {
  if (!wantsMargin(g)) {
    use(input);
    return;
  }
  const { height, width } = marginSize(g);
  runtime.withTemporary(g.images * height * width * g.channels * 4, (padded) => {
    const sizes = [g.height, g.width * g.channels, height, width * g.channels, g.top, g.left * g.channels];
    runtime.runOnce(g.images, PAD_IMAGES, input, padded, ...sizes);
    use(padded);
  });
}
