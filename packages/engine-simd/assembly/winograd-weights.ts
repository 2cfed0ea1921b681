// Transformed weights of Winograd's algorithm, in the panels that products want.
import { COLUMNS } from './generated/micro';
import { STEP, transformWeightsPair, transformWeightsStrided, transformWeightsTile } from './generated/winograd';
import { packTransposed } from './packing';
import { touchRows } from './touch';
import { PAIR, TILE } from './winograd-kinds';
import { floats } from './words';

/** Depth that is transformed at once. */
export const DEPTH_BLOCK: i32 = 64;
/** Bytes between what belongs to neighbouring products beyond what it needs, so that their places are not all in one set of the caches. */
export const GAP: usize = 64;

// Scratch memory of a task, within what `winograd-tiles.ts` leaves free.
const BUFFER: usize = 0x400;
const MIRRORED: usize = 0x4000;

/**
 * U = G g G^T for [k0, k1) of the depth and one panel of output channels, to `to`: [factor][k][COLUMNS], factors `toStep` bytes apart.
 *
 * @param weights [9][channels][outputChannels]; where they are transposed, [9][outputChannels][channels] with the last tap first
 */
export function transformWeights(
  kind: i32,
  weights: usize,
  transposed: i32,
  channels: i32,
  outputChannels: i32,
  panel: i32,
  k0: i32,
  k1: i32,
  to: usize,
  toStep: usize,
  scratch: usize,
): void {
  let from = weights + floats(k0 * outputChannels + panel * COLUMNS);
  let fromStep = floats(channels * outputChannels);
  let line = floats(outputChannels);
  if (transposed) {
    from = scratch + MIRRORED;
    line = floats(COLUMNS);
    fromStep = <usize>(k1 - k0) * line + GAP;
    const count = min(COLUMNS, outputChannels - panel * COLUMNS);
    for (let tap = 0; tap < 9; tap++) {
      const source = weights + floats((tap * outputChannels + panel * COLUMNS) * channels + k0);
      touchRows(source, floats(channels), count, floats(k1 - k0), scratch);
      packTransposed(source, channels, count, k1 - k0, from + <usize>(8 - tap) * fromStep);
    }
  }
  if (!transposed) for (let tap: usize = 0; tap < 9; tap++) touchRows(from + tap * fromStep, line, k1 - k0, floats(COLUMNS), scratch);
  const buffer = scratch + BUFFER;
  for (let k = k0; k < k1; k++, from += line, to += floats(COLUMNS)) {
    if (kind === PAIR) {
      for (let o: usize = 0; o < floats(COLUMNS); o += STEP) transformWeightsPair(from + o, fromStep, to + o, toStep, buffer);
    } else if (kind === TILE) {
      for (let o: usize = 0; o < floats(COLUMNS); o += STEP) transformWeightsTile(from + o, fromStep, to + o, toStep, buffer);
    } else {
      for (let o: usize = 0; o < floats(COLUMNS); o += STEP) transformWeightsStrided(from + o, fromStep, to + o, toStep, buffer);
    }
  }
}

@unmanaged
class WinogradWeightsJob {
  task: i32;
  kind: i32;
  weights: usize;
  transposed: i32;
  channels: i32;
  outputChannels: i32;
  /** [36][panel][channels][COLUMNS], factors `step` bytes apart. */
  output: usize;
  step: usize;
}

/** Transforms a block of the depth of one panel, for tiles that are not pairs. */
export function winogradWeightsTask(address: usize, index: i32, scratch: usize): void {
  const job = changetype<WinogradWeightsJob>(address);
  const blocks = (job.channels + DEPTH_BLOCK - 1) / DEPTH_BLOCK;
  const panel = index / blocks;
  const k0 = (index - panel * blocks) * DEPTH_BLOCK;
  const k1 = min(job.channels, k0 + DEPTH_BLOCK);
  const to = job.output + floats((panel * job.channels + k0) * COLUMNS);
  transformWeights(job.kind, job.weights, job.transposed, job.channels, job.outputChannels, panel, k0, k1, to, job.step, scratch);
}
