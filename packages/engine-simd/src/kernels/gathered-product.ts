import type { Plan, Runtime } from '../runtime.ts';
import { CONVOLUTION } from '../task-ids.ts';
import { ceilDiv } from './kernel.ts';

/** A convolution over a grid of outputs that need not be dense: what `assembly/convolution.ts` computes. Steps are in floats. */
export interface GatheredProduct {
  readonly images: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly outputChannels: number;
  readonly gridHeight: number;
  readonly gridWidth: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly originY: number;
  readonly originX: number;
  readonly tapsY: number;
  readonly tapsX: number;
  readonly inputSteps: readonly [image: number, line: number, pixel: number];
  readonly outputSteps: readonly [image: number, line: number, pixel: number];
}

/** A prepared job; input, weights and output are filled in at each run. */
export interface ProductPlan extends Plan {
  readonly job: number;
  readonly tasks: number;
}

/** Up to so many output channels the input is multiplied where it lies: packing it would cost more than it saves. */
const DIRECT_CHANNELS = 256;
/** Rows of a task that packs: a panel of 256 of depth stays in the second cache. */
const PACKED_ROWS = 96;
/** Rows of a task that does not, at most, and about how many multiplications it has. */
const DIRECT_ROWS = 480;
const DIRECT_WORK = 1_500_000;

/** Neighbouring output positions that see the same valid taps. */
interface Span {
  readonly first: number;
  count: number;
  readonly tap0: number;
  readonly tap1: number;
}

/** Groups output positions along one axis by the taps that are inside the image there. */
export function tapSpans(positions: number, taps: number, stride: number, origin: number, size: number): Span[] {
  const spans: Span[] = [];
  for (let i = 0; i < positions; i++) {
    const start = i * stride + origin;
    const tap0 = Math.min(taps, Math.max(0, -start));
    const tap1 = Math.max(tap0, Math.min(taps, size - start));
    const last = spans.at(-1);
    if (last && last.tap0 === tap0 && last.tap1 === tap1) last.count++;
    else spans.push({ first: i, count: 1, tap0, tap1 });
  }
  return spans;
}

/** Splits a product into tasks. The split does not change results: every output is one sum, in one order. */
export function planProduct(runtime: Runtime, p: GatheredProduct): ProductPlan {
  const { rows: tileRows, columns: tileColumns } = runtime.variant;
  const direct = p.outputChannels <= DIRECT_CHANNELS;
  const depth = p.tapsY * p.tapsX * p.channels;
  const allRows = p.images * p.gridHeight * p.gridWidth;
  const wanted = Math.max(PACKED_ROWS, Math.min(DIRECT_ROWS, DIRECT_WORK / (depth * p.outputChannels)));
  const rowLimit = direct
    ? Math.max(tileRows * 4, Math.min(wanted, ceilDiv(allRows, 4 * runtime.threads)))
    : PACKED_ROWS;
  // With few rows, tasks are also split by output channels, so that all threads have some.
  const channelParts =
    allRows / PACKED_ROWS >= 4 * runtime.threads ? 1 : Math.min(ceilDiv(p.outputChannels, 4 * tileColumns), 8);
  const channelBlock = ceilDiv(ceilDiv(p.outputChannels, channelParts), tileColumns) * tileColumns;

  const tasks: number[][] = [];
  for (const y of tapSpans(p.gridHeight, p.tapsY, p.strideY, p.originY, p.height)) {
    for (const x of tapSpans(p.gridWidth, p.tapsX, p.strideX, p.originX, p.width)) {
      const rows = p.images * y.count * x.count;
      const parts = ceilDiv(ceilDiv(rows, rowLimit), runtime.threads) * runtime.threads; // as many for each thread
      const step = ceilDiv(ceilDiv(rows, parts), tileRows) * tileRows;
      for (let row = 0; row < rows; row += step) {
        for (let c = 0; c < p.outputChannels; c += channelBlock) {
          tasks.push([
            ...[y.first, y.count, x.first, x.count, y.tap0, y.tap1, x.tap0, x.tap1],
            ...[row, Math.min(rows, row + step), c, Math.min(p.outputChannels, c + channelBlock)],
          ]);
        }
      }
    }
  }
  // The largest first: the threads end together.
  const cost = ([, , , , y0, y1, x0, x1, r0, r1, c0, c1]: number[]) =>
    (r1! - r0!) * (c1! - c0!) * (1 + (y1! - y0!) * (x1! - x0!));
  tasks.sort((a, b) => cost(b) - cost(a));
  const list = runtime.keep(tasks.flat());
  const job = runtime.keep([
    ...[CONVOLUTION, 0, 0, 0, p.channels, p.outputChannels, p.strideY, p.strideX, p.originY, p.originX],
    ...[p.tapsY, p.tapsX, ...p.inputSteps, ...p.outputSteps, list, direct ? 1 : 0],
  ]);
  return { job, tasks: tasks.length, blocks: [job, list] };
}

/** Runs a prepared product; `weights` are packed. */
export function runProduct(runtime: Runtime, plan: ProductPlan, input: number, weights: number, output: number): void {
  const at = plan.job / 4;
  const { words } = runtime;
  words[at + 1] = input;
  words[at + 2] = weights;
  words[at + 3] = output;
  runtime.run(plan.job, plan.tasks);
}
