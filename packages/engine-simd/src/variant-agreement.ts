import type { ConvolutionGeometry } from '@tfjs-ssl/ops';
import { convolution, inputGradient } from './kernels/convolution.ts';
import { filterGradient } from './kernels/filter-gradient.ts';
import { Runtime } from './runtime.ts';
import type { Variant } from './variant.ts';

const base = { images: 3, filterHeight: 3, filterWidth: 3, strideY: 1, strideX: 1, top: 1, left: 1 };
const strided = { ...base, images: 48, strideY: 2, strideX: 2 };

/** Small convolutions that between them take every path to a micro-kernel: packed and not, whole tiles and edges, all ways of Winograd's. */
const cases: readonly ConvolutionGeometry[] = [
  { ...base, height: 7, width: 7, channels: 12, outputChannels: 20, outputHeight: 7, outputWidth: 7 },
  { ...base, height: 8, width: 8, channels: 32, outputChannels: 48, outputHeight: 8, outputWidth: 8 },
  { ...base, height: 7, width: 6, channels: 136, outputChannels: 136, outputHeight: 7, outputWidth: 6 },
  { ...base, images: 9, height: 2, width: 2, channels: 40, outputChannels: 48, outputHeight: 2, outputWidth: 2 },
  { ...base, height: 5, width: 5, channels: 80, outputChannels: 272, outputHeight: 5, outputWidth: 5 },
  { ...strided, height: 8, width: 8, channels: 64, outputChannels: 64, outputHeight: 4, outputWidth: 4 },
];

/** Numbers between -1 and 1 that look random and are always the same. */
function fillPseudoRandom(values: Float32Array, seed: number): void {
  let state = seed;
  for (let i = 0; i < values.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    values[i] = state / 2 ** 31;
  }
}

/** Results of all cases on one variant. */
async function results(variant: Variant): Promise<Float32Array[]> {
  const runtime = await Runtime.start(variant, 1);
  const make = (size: number, seed: number) => {
    const address = runtime.allocator.allocate(size * 4);
    fillPseudoRandom(runtime.floats(address, size), seed);
    return address;
  };
  return cases.flatMap((g) => {
    const inputSize = g.images * g.height * g.width * g.channels;
    const outputSize = g.images * g.outputHeight * g.outputWidth * g.outputChannels;
    const weightSize = g.filterHeight * g.filterWidth * g.channels * g.outputChannels;
    const [x, w, dy] = [make(inputSize, 1), make(weightSize, 2), make(outputSize, 3)];
    const [y, dx, dw] = [make(outputSize, 4), make(inputSize, 5), make(weightSize, 6)];
    convolution(runtime, g, x, w, y);
    inputGradient(runtime, g, dy, w, dx);
    filterGradient(runtime, g, x, dy, dw);
    // copies: the memory grows with the next case, and one that is not shared moves then
    return [runtime.floats(y, outputSize), runtime.floats(dx, inputSize), runtime.floats(dw, weightSize)].map(
      (values) => values.slice(),
    );
  });
}

/** Whether two variants compute the same, bit for bit. */
export async function agree(reference: Variant, candidate: Variant): Promise<boolean> {
  const [expected, got] = await Promise.all([results(reference), results(candidate)]);
  return expected.every((values, i) => {
    const other = new Int32Array(got[i]!.buffer, got[i]!.byteOffset, got[i]!.length);
    const own = new Int32Array(values.buffer, values.byteOffset, values.length);
    return own.every((bits, j) => bits === other[j]);
  });
}
