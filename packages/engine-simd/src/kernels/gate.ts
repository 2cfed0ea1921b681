import { floatBits, type Runtime } from '../runtime.ts';
import { CHANNEL_DOTS, SCALE_CHANNELS } from '../task-ids.ts';
import { binary, unary } from './elementwise.ts';
import { ceilDiv, defineOpKernel, type SimdKernel } from './kernel.ts';
import { multiply } from './matrix-product.ts';
import { reduce } from './reduce.ts';

/** Bytes of a task's pixels. */
const BLOCK_BYTES = 32768;

/** Sizes of a gate and of what it multiplies. */
interface Sizes {
  readonly images: number;
  readonly pixels: number;
  readonly channels: number;
  readonly squeezed: number;
}

function sizesOf({ x, squeeze }: Record<'x' | 'squeeze', { readonly shape: readonly number[] }>): Sizes {
  const [images, height, width, channels] = x.shape as [number, number, number, number];
  return { images, pixels: height * width, channels, squeezed: squeeze.shape[1] as number };
}

/** output = x scale + factor shift, on addresses; scale and shift are numbers for each channel of each image, and shift may be 0 for none. */
function scaleChannels(
  runtime: Runtime,
  { images, pixels, channels }: Sizes,
  [x, output, scale, shift, factor]: readonly [x: number, output: number, scale: number, shift: number, factor: number],
): void {
  const block = Math.min(pixels, Math.max(1, Math.floor(BLOCK_BYTES / (channels * 4))));
  const blocks = ceilDiv(pixels, block);
  const job = [x, output, pixels, channels, block, blocks, scale, shift, floatBits(factor)];
  runtime.runOnce(images * blocks, SCALE_CHANNELS, ...job);
}

const squeezeExcite = defineOpKernel('SqueezeExcite', ({ inputs, backend }) => {
  const { runtime } = backend;
  const sizes = sizesOf(inputs);
  const { images, pixels, channels, squeezed: inner } = sizes;
  const make = (...shape: number[]) => backend.output(shape);
  const [y, pooled, gate] = [make(...inputs.x.shape), make(images, channels), make(images, channels)];
  const [before, squeezed] = [make(images, inner), make(images, inner)];
  const x = backend.address(inputs.x);

  const means = { outer: images, length: pixels, inner: channels, scale: 1 / pixels };
  reduce(runtime, { operation: 'sum', input: x, output: pooled.address, ...means });
  const linear = (from: typeof y, weights: typeof inputs.x, bias: typeof inputs.x, { address, info }: typeof y) => {
    const [depth, columns] = weights.shape as [number, number];
    const product = { rows: images, depth, columns, transposeA: false, transposeB: false };
    multiply(runtime, product, from.address, backend.address(weights), address);
    const biases = { address: backend.address(bias), shape: bias.shape };
    binary(runtime, 'Add', { address, shape: info.shape }, biases, address, info.shape);
  };
  linear(pooled, inputs.squeeze, inputs.squeezeBias, before);
  unary(runtime, 'Silu', before.address, squeezed.address, images * inner);
  linear(squeezed, inputs.excite, inputs.exciteBias, gate);
  unary(runtime, 'Sigmoid', gate.address, gate.address, images * channels);
  scaleChannels(runtime, sizes, [x, y.address, gate.address, 0, 0]);
  return [y, pooled, before, squeezed, gate].map(({ info }) => info);
});

/** x and dy are read for the sums of their products, and dy once more for dx: what leads through the gate is the same for all pixels of a channel. */
const squeezeExciteGradient = defineOpKernel('SqueezeExciteGrad', ({ inputs, backend }) => {
  const { runtime } = backend;
  const sizes = sizesOf(inputs);
  const { images, pixels, channels, squeezed: inner } = sizes;
  const make = (...shape: number[]) => backend.output(shape);
  const dx = make(...inputs.x.shape);
  const [dsqueeze, dsqueezeBias] = [make(channels, inner), make(inner)];
  const [dexcite, dexciteBias] = [make(inner, channels), make(channels)];
  const at = (name: keyof typeof inputs) => backend.address(inputs[name]);

  /** values = f(values, other), in place. */
  const through = (operation: 'SigmoidGrad' | 'SiluGrad', values: number, other: number, columns: number) => {
    const shape = [images * columns];
    binary(runtime, operation, { address: values, shape }, { address: other, shape }, values, shape);
  };
  /** The gradient of the input of a linear layer, by that of its output. */
  const toInput = (depth: number, columns: number, values: number, weights: number, to: number) => {
    multiply(runtime, { rows: images, depth, columns, transposeA: false, transposeB: true }, values, weights, to);
  };
  /** The gradients of its weights and bias. */
  const toWeights = (
    rows: number,
    columns: number,
    [input, values]: [number, number],
    [weights, bias]: [number, number],
  ) => {
    multiply(runtime, { rows, depth: images, columns, transposeA: true, transposeB: false }, input, values, weights);
    const sums = { outer: 1, length: images, inner: columns, scale: 1 };
    reduce(runtime, { operation: 'sum', input: values, output: bias, ...sums });
  };
  const floats = images * 4;
  runtime.withTemporary(floats * channels, (dlogit) => {
    runtime.runOnce(images, CHANNEL_DOTS, at('x'), at('dy'), dlogit, pixels, channels);
    through('SigmoidGrad', dlogit, at('gate'), channels);
    toWeights(inner, channels, [at('squeezed'), dlogit], [dexcite.address, dexciteBias.address]);
    runtime.withTemporary(floats * inner, (dbefore) => {
      toInput(channels, inner, dlogit, at('excite'), dbefore);
      through('SiluGrad', dbefore, at('before'), inner);
      toWeights(channels, inner, [at('pooled'), dbefore], [dsqueeze.address, dsqueezeBias.address]);
      runtime.withTemporary(floats * channels, (dpooled) => {
        toInput(inner, channels, dbefore, at('squeeze'), dpooled);
        scaleChannels(runtime, sizes, [at('dy'), dx.address, at('gate'), dpooled, 1 / pixels]);
      });
    });
  });
  return [dx, dsqueeze, dsqueezeBias, dexcite, dexciteBias].map(({ info }) => info);
});

/** The gate on the channels of an image, and its gradient. */
export const gateKernels: readonly SimdKernel[] = [squeezeExcite, squeezeExciteGradient];
