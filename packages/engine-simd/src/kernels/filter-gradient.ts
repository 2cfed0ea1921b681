import { type ConvolutionGeometry, geometryKey } from '@tfjs-ssl/ops';
import type { Plan, Runtime } from '../runtime.ts';
import { FILTER_GRADIENT } from '../task-ids.ts';
import { ceilDiv } from './kernel.ts';
import { marginSize, wantsMargin, withMargin } from './margin.ts';
import { reduce } from './reduce.ts';
import { runWinogradGradient } from './winograd.ts';
import { winogradShape } from './winograd-shape.ts';

/** Up to so many channels on both sides, rows are multiplied where they lie. */
const DIRECT_CHANNELS = 32;
/** Weights up to this number are few: one task walks through all taps while its rows are in the second cache. */
const FEW_WEIGHTS = 160 * 1024;
/** Tasks that there should be at least; images are split into parts, whose results are added, where weights alone give fewer. */
const TASKS = 12;
const PARTS = 8;

interface FilterGradientPlan extends Plan {
  readonly job: number;
  readonly tasks: number;
  /** Parts of the sum over images: a matter of the shape alone, so that results do not depend on threads or tile. */
  readonly parts: number;
}

/** dWeights = gradient of the weights for dOutput; all are addresses. */
export function filterGradient(
  runtime: Runtime,
  g: ConvolutionGeometry,
  input: number,
  dOutput: number,
  dWeights: number,
): void {
  const winograd = winogradShape(g);
  if (winograd) {
    runWinogradGradient(runtime, g, winograd, input, dOutput, dWeights);
    return;
  }
  const plan = runtime.plans.get(`filter gradient ${geometryKey(g)}`, () => planFilterGradient(runtime, g));
  const size = g.filterHeight * g.filterWidth * g.channels * g.outputChannels;
  const compute = (target: number) =>
    withMargin(runtime, g, input, (padded) => {
      const at = plan.job / 4;
      const { words } = runtime;
      words[at + 1] = padded;
      words[at + 2] = dOutput;
      words[at + 3] = target;
      runtime.run(plan.job, plan.tasks);
    });
  if (plan.parts === 1) {
    compute(dWeights);
    return;
  }
  runtime.withTemporary(plan.parts * size * 4, (target) => {
    compute(target);
    reduce(runtime, {
      operation: 'sum',
      input: target,
      output: dWeights,
      outer: 1,
      length: plan.parts,
      inner: size,
      scale: 1,
    });
  });
}

function planFilterGradient(runtime: Runtime, g: ConvolutionGeometry): FilterGradientPlan {
  const { rows: tileRows, columns: tileColumns } = runtime.variant;
  const margin = wantsMargin(g);
  // With a margin, the taps of a line are one tap of more channels.
  const channels = margin ? g.filterWidth * g.channels : g.channels;
  const tapsX = margin ? 1 : g.filterWidth;
  const taps = g.filterHeight * tapsX;
  const { height, width } = margin ? marginSize(g) : g;
  const size = taps * channels * g.outputChannels;
  const few = taps * channels * g.outputChannels <= FEW_WEIGHTS;
  const channelBlock = ceilDiv(ceilDiv(channels, ceilDiv(channels, 96)), tileRows) * tileRows;
  const outputParts = ceilDiv(g.outputChannels, few ? 64 : 256);
  const outputBlock = ceilDiv(ceilDiv(g.outputChannels, outputParts), tileColumns) * tileColumns;
  const tapBlock = few ? taps : 1;
  const blocks = ceilDiv(taps, tapBlock) * ceilDiv(channels, 96) * outputParts;
  const parts = blocks >= TASKS || size > 1 << 18 ? 1 : Math.min(g.images, ceilDiv(TASKS, blocks), PARTS);

  const tasks: number[] = [];
  let count = 0;
  for (let tap = 0; tap < taps; tap += tapBlock) {
    for (let c = 0; c < channels; c += channelBlock) {
      for (let o = 0; o < g.outputChannels; o += outputBlock) {
        for (let part = 0; part < parts; part++, count++) {
          tasks.push(tap, Math.min(taps, tap + tapBlock));
          tasks.push(Math.floor((part * g.images) / parts), Math.floor(((part + 1) * g.images) / parts));
          tasks.push(c, Math.min(channels, c + channelBlock), o, Math.min(g.outputChannels, o + outputBlock), part);
        }
      }
    }
  }
  const list = runtime.keep(tasks);
  const pixel = margin ? g.channels : channels;
  const job = runtime.keep([
    ...[FILTER_GRADIENT, 0, 0, 0, size, channels, g.outputChannels, g.strideY, g.strideX],
    ...[margin ? 0 : -g.top, margin ? 0 : -g.left, height, margin ? (g.outputWidth - 1) * g.strideX + 1 : width, tapsX],
    ...[height * width * g.channels, width * g.channels, pixel],
    ...[g.outputHeight * g.outputWidth * g.outputChannels, g.outputWidth * g.outputChannels, g.outputChannels],
    ...[
      g.outputHeight,
      g.outputWidth,
      list,
      margin || (channels <= DIRECT_CHANNELS && g.outputChannels <= DIRECT_CHANNELS) ? 1 : 0,
    ],
  ]);
  return { job, tasks: count, parts, blocks: [job, list] };
}
