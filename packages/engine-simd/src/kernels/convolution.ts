import { type ConvolutionAttributes, type ConvolutionGeometry, convolutionGeometry, geometryKey } from '@tfjs-ssl/ops';
import type { Runtime } from '../runtime.ts';
import { PACK_WEIGHTS, PACK_WEIGHTS_TRANSPOSED } from '../task-ids.ts';
import { canFinish, type EpilogueAttributes, type EpilogueInput, finish } from './epilogue.ts';
import { filterGradient } from './filter-gradient.ts';
import { type ProductPlan, planProduct, runProduct } from './gathered-product.ts';
import { areFloat, ceilDiv, defineKernel, type SimdKernel, sizeOf } from './kernel.ts';
import { marginSize, wantsMargin, withMargin } from './margin.ts';
import { runWinograd } from './winograd.ts';
import { stridedGradientShape, winogradShape } from './winograd-shape.ts';

/** output = convolution of input by weights; all are addresses. */
export function convolution(
  runtime: Runtime,
  g: ConvolutionGeometry,
  input: number,
  weights: number,
  output: number,
): void {
  const winograd = winogradShape(g);
  if (winograd) {
    runWinograd(runtime, g, winograd, input, { address: weights, transposed: false }, output);
    return;
  }
  const margin = wantsMargin(g);
  const { height, width } = margin ? marginSize(g) : g;
  withPackedWeights(runtime, weights, g.filterHeight * g.filterWidth * g.channels, g.outputChannels, (packed) => {
    const plan = runtime.plans.get(`forward ${geometryKey(g)}`, () =>
      planProduct(runtime, {
        images: g.images,
        height,
        width,
        channels: g.channels,
        outputChannels: g.outputChannels,
        gridHeight: g.outputHeight,
        gridWidth: g.outputWidth,
        strideY: g.strideY,
        strideX: g.strideX,
        originY: margin ? 0 : -g.top,
        originX: margin ? 0 : -g.left,
        tapsY: g.filterHeight,
        tapsX: g.filterWidth,
        inputSteps: [height * width * g.channels, width * g.channels, g.channels],
        outputSteps: [
          g.outputHeight * g.outputWidth * g.outputChannels,
          g.outputWidth * g.outputChannels,
          g.outputChannels,
        ],
      }),
    );
    withMargin(runtime, g, input, (padded) => runProduct(runtime, plan, padded, packed, output));
  });
}

function withPackedWeights(
  runtime: Runtime,
  weights: number,
  depth: number,
  columns: number,
  use: (packed: number) => void,
): void {
  const { columns: tile } = runtime.variant;
  const panels = ceilDiv(columns, tile);
  const block = Math.max(64, ceilDiv(depth, 8));
  runtime.withTemporary(panels * tile * depth * 4, (packed) => {
    runtime.runOnce(panels * ceilDiv(depth, block), PACK_WEIGHTS, weights, packed, depth, columns, block);
    use(packed);
  });
}

/** One phase of the input's gradient: pixels whose position modulo the stride is the same see the same taps. */
interface Phase extends ProductPlan {
  /** Bytes from the first pixel to the phase's first. */
  readonly offset: number;
  readonly taps: number;
  readonly tapList: number;
}

interface InputGradientPlan {
  readonly blocks: readonly number[];
  readonly phases: readonly Phase[];
  /** Whether some pixels are seen by no tap. */
  readonly clear: boolean;
}

/** dInput = gradient of the input for dOutput; all are addresses. */
export function inputGradient(
  runtime: Runtime,
  g: ConvolutionGeometry,
  dOutput: number,
  weights: number,
  dInput: number,
): void {
  const strided = g.strideY > 1 || g.strideX > 1;
  const mirrored = strided ? mirrorStrided(g) : mirror(g);
  const winograd = strided ? stridedGradientShape(g) : winogradShape(mirrored);
  if (winograd) {
    runWinograd(runtime, mirrored, winograd, dOutput, { address: weights, transposed: true }, dInput);
    return;
  }
  const plan = runtime.plans.get(`input gradient ${geometryKey(g)}`, () => planInputGradient(runtime, g));
  if (plan.clear) runtime.floats(dInput, g.images * g.height * g.width * g.channels).fill(0);
  const { columns: tile } = runtime.variant;
  const panels = ceilDiv(g.channels, tile);
  for (const phase of plan.phases) {
    runtime.withTemporary(panels * tile * phase.taps * g.outputChannels * 4, (packed) => {
      const sizes = [g.channels, g.outputChannels, phase.taps, phase.tapList];
      runtime.runOnce(panels * phase.taps, PACK_WEIGHTS_TRANSPOSED, weights, packed, ...sizes);
      runProduct(runtime, phase, dOutput, packed, dInput + phase.offset);
    });
  }
}

/** The convolution that computes the input's gradient at stride 1. */
function mirror(g: ConvolutionGeometry): ConvolutionGeometry {
  return {
    ...g,
    height: g.outputHeight,
    width: g.outputWidth,
    channels: g.outputChannels,
    outputChannels: g.channels,
    top: g.filterHeight - 1 - g.top,
    left: g.filterWidth - 1 - g.left,
    outputHeight: g.height,
    outputWidth: g.width,
  };
}

/** What takes the place of {@link mirror} at stride 2: the margin is counted in outputs, before the first that sees a pixel by an outer tap. */
function mirrorStrided(g: ConvolutionGeometry): ConvolutionGeometry {
  return { ...mirror(g), top: (1 - g.top) / 2, left: (1 - g.left) / 2 };
}

/** Taps that reach a pixel at `position` modulo the stride, last first, and where dOutput begins for them. */
function phaseTaps(
  position: number,
  padding: number,
  taps: number,
  stride: number,
): { list: number[]; origin: number } {
  const first = (position + padding) % stride;
  const list: number[] = [];
  for (let tap = first; tap < taps; tap += stride) list.unshift(tap);
  return { list, origin: (position + padding - first) / stride - (list.length - 1) };
}

function planInputGradient(runtime: Runtime, g: ConvolutionGeometry): InputGradientPlan {
  const phases: Phase[] = [];
  let clear = false;
  for (let a = 0; a < Math.min(g.strideY, g.height); a++) {
    for (let b = 0; b < Math.min(g.strideX, g.width); b++) {
      const y = phaseTaps(a, g.top, g.filterHeight, g.strideY);
      const x = phaseTaps(b, g.left, g.filterWidth, g.strideX);
      if (y.list.length === 0 || x.list.length === 0) {
        clear = true;
        continue;
      }
      const list = y.list.flatMap((tapY) => x.list.map((tapX) => tapY * g.filterWidth + tapX));
      const plan = planProduct(runtime, {
        images: g.images,
        height: g.outputHeight,
        width: g.outputWidth,
        channels: g.outputChannels,
        outputChannels: g.channels,
        gridHeight: ceilDiv(g.height - a, g.strideY),
        gridWidth: ceilDiv(g.width - b, g.strideX),
        strideY: 1,
        strideX: 1,
        originY: y.origin,
        originX: x.origin,
        tapsY: y.list.length,
        tapsX: x.list.length,
        inputSteps: [
          g.outputHeight * g.outputWidth * g.outputChannels,
          g.outputWidth * g.outputChannels,
          g.outputChannels,
        ],
        outputSteps: [g.height * g.width * g.channels, g.strideY * g.width * g.channels, g.strideX * g.channels],
      });
      const tapList = runtime.keep(list);
      phases.push({ ...plan, offset: (a * g.width + b) * g.channels * 4, taps: list.length, tapList });
    }
  }
  return { phases, clear, blocks: phases.flatMap(({ blocks, tapList }) => [...blocks, tapList]) };
}

/** Whether there is anything to compute. */
function isEmpty(g: ConvolutionGeometry): boolean {
  return g.images * g.height * g.width * g.channels * g.outputHeight * g.outputWidth * g.outputChannels === 0;
}

/** Kernels of the convolution and its two gradients. */
export const convolutionKernels: readonly SimdKernel[] = [
  defineKernel<'x' | 'filter', ConvolutionAttributes>('Conv2D', ({ inputs: { x, filter }, attributes, backend }) => {
    const g = convolutionGeometry(x.shape, filter.shape, attributes);
    if (!g || isEmpty(g) || !areFloat(x, filter)) return null;
    const { info, address } = backend.output([g.images, g.outputHeight, g.outputWidth, g.outputChannels]);
    convolution(backend.runtime, g, backend.address(x), backend.address(filter), address);
    return info;
  }),
  defineKernel<'x' | 'filter' | EpilogueInput, ConvolutionAttributes & EpilogueAttributes>(
    'FusedConv2D',
    ({ inputs, attributes, backend }) => {
      const { x, filter } = inputs;
      const g = convolutionGeometry(x.shape, filter.shape, attributes);
      if (!g || isEmpty(g) || !areFloat(x, filter) || !canFinish(inputs)) return null;
      const output = backend.output([g.images, g.outputHeight, g.outputWidth, g.outputChannels]);
      convolution(backend.runtime, g, backend.address(x), backend.address(filter), output.address);
      return finish(backend, output, inputs, attributes);
    },
  ),
  defineKernel<'dy' | 'filter', ConvolutionAttributes & { inputShape: number[] }>(
    'Conv2DBackpropInput',
    ({ inputs: { dy, filter }, attributes, backend }) => {
      const g = convolutionGeometry(attributes.inputShape, filter.shape, attributes);
      if (!g || isEmpty(g) || !areFloat(dy, filter) || !fits(g, dy)) return null;
      const { info, address } = backend.output(attributes.inputShape);
      inputGradient(backend.runtime, g, backend.address(dy), backend.address(filter), address);
      return info;
    },
  ),
  defineKernel<'x' | 'dy', ConvolutionAttributes & { filterShape: number[] }>(
    'Conv2DBackpropFilter',
    ({ inputs: { x, dy }, attributes, backend }) => {
      const g = convolutionGeometry(x.shape, attributes.filterShape, attributes);
      if (!g || isEmpty(g) || !areFloat(x, dy) || !fits(g, dy)) return null;
      const { info, address } = backend.output(attributes.filterShape);
      filterGradient(backend.runtime, g, backend.address(x), backend.address(dy), address);
      return info;
    },
  ),
];

function fits(g: ConvolutionGeometry, dy: { shape: readonly number[] }): boolean {
  return sizeOf(dy) === g.images * g.outputHeight * g.outputWidth * g.outputChannels;
}
