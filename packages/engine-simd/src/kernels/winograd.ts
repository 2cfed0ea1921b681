import type { ConvolutionGeometry } from '@tfjs-ssl/ops';
import type { Runtime } from '../runtime.ts';
import { WINOGRAD, WINOGRAD_GRADIENT, WINOGRAD_GRADIENT_SUM, WINOGRAD_WEIGHTS } from '../task-ids.ts';
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
    g.channels % 8 === 0 &&
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
    withZeros(runtime, g.channels, (zeros) => {
      runtime.runOnce(ceilDiv(tiles, block), WINOGRAD, input, weights, output, ...sizesOf(g), tiles, block, zeros);
    });
  });
}

/** Parts of the sum over images: a matter of the shape alone, so that results do not depend on the number of threads. */
const PARTS = 8;
/** Bytes of transformed tiles, of the input and of the output's gradient together. */
const TILE_BYTES = 512 * 1024;
/** Weights of a task that sums parts up. */
const WEIGHTS = 2048;

/** dWeights = gradient of the weights for dOutput, of what {@link suitsWinograd}. */
export function runWinogradGradient(
  runtime: Runtime,
  g: ConvolutionGeometry,
  input: number,
  dOutput: number,
  dWeights: number,
): void {
  const parts = Math.min(PARTS, g.images);
  const size = g.channels * g.outputChannels;
  const block = Math.floor(TILE_BYTES / (16 * 4 * (g.channels + g.outputChannels)));
  runtime.withTemporary(parts * 16 * size * 4, (sums) => {
    withZeros(runtime, g.channels, (zeros) => {
      const job = [WINOGRAD_GRADIENT, input, dOutput, sums, ...sizesOf(g), g.images, parts, block, zeros];
      runtime.runOnce(parts, ...job);
    });
    runtime.runOnce(ceilDiv(size, WEIGHTS), WINOGRAD_GRADIENT_SUM, sums, parts, size, WEIGHTS, dWeights);
  });
}

const sizesOf = (g: ConvolutionGeometry): number[] => [
  ...[g.channels, g.outputChannels, g.height, g.width, g.top, g.left, g.outputHeight, g.outputWidth],
];

/** Calls `use` with the address of so many zeros. */
function withZeros(runtime: Runtime, size: number, use: (address: number) => void): void {
  runtime.withTemporary(size * 4, (zeros) => {
    runtime.floats(zeros, size).fill(0);
    use(zeros);
  });
}
