import type { Runtime } from '../runtime.ts';
import { WINOGRAD, WINOGRAD_WEIGHTS } from '../task-ids.ts';
import type { ConvolutionGeometry } from './convolution-geometry.ts';
import { ceilDiv } from './kernel.ts';

/** Widest tile of any variant: what suits must not depend on the variant. */
const WIDEST_TILE = 16;

/**
 * Whether Winograd's F(2x2, 3x3) computes a convolution faster: 3x3, stride 1, even output size, enough channels to pay for the
 * transforms and few enough that transformed weights and tiles stay in the second cache.
 */
export function suitsWinograd(g: ConvolutionGeometry): boolean {
  return (
    g.filterHeight === 3 &&
    g.filterWidth === 3 &&
    g.strideY === 1 &&
    g.strideX === 1 &&
    g.outputHeight % 2 === 0 &&
    g.outputWidth % 2 === 0 &&
    Math.min(g.outputHeight, g.outputWidth) >= 6 &&
    g.channels % 4 === 0 &&
    g.channels >= 32 &&
    g.channels <= 128 &&
    g.outputChannels <= 128 &&
    g.outputChannels % WIDEST_TILE === 0
  );
}

/** output = convolution of input; `packed` are the weights as the plain convolution packs them. */
export function runWinograd(
  runtime: Runtime,
  g: ConvolutionGeometry,
  input: number,
  packed: number,
  output: number,
): void {
  const { columns } = runtime.variant;
  const panels = g.outputChannels / columns;
  const tiles = g.images * (g.outputHeight / 2) * (g.outputWidth / 2);
  const block = g.channels + g.outputChannels <= 128 ? 48 : 24;
  runtime.withTemporary(16 * g.channels * g.outputChannels * 4, (weights) => {
    runtime.runOnce(panels, WINOGRAD_WEIGHTS, packed, weights, g.channels, panels);
    runtime.withTemporary(g.channels * 4, (zeros) => {
      runtime.floats(zeros, g.channels).fill(0);
      const sizes = [g.channels, g.outputChannels, g.height, g.width, g.top, g.left, g.outputHeight, g.outputWidth];
      runtime.runOnce(ceilDiv(tiles, block), WINOGRAD, input, weights, output, ...sizes, tiles, block, zeros);
    });
  });
}
