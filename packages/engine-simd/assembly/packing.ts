// Weights in the order in which the micro-kernels read them, and images with a margin of zeros.
import { COLUMNS } from './generated/micro';
import { floats, int } from './words';

@unmanaged
class PackWeightsJob {
  task: i32;
  weights: usize;
  output: usize;
  depth: i32;
  outputChannels: i32;
  block: i32;
}

/** Weights [depth][outputChannels] to panels [panel][depth][COLUMNS], filled up with zeros; a task is a block of one panel. */
export function packWeightsTask(address: usize, index: i32): void {
  const job = changetype<PackWeightsJob>(address);
  const blocks = (job.depth + job.block - 1) / job.block;
  const panel = index / blocks;
  const k0 = (index - panel * blocks) * job.block;
  const k1 = min(job.depth, k0 + job.block);
  const n = min(COLUMNS, job.outputChannels - panel * COLUMNS);
  const bytes = floats(COLUMNS);
  let from = job.weights + floats(k0 * job.outputChannels + panel * COLUMNS);
  let to = job.output + floats((panel * job.depth + k0) * COLUMNS);
  for (let k = k0; k < k1; k++, from += floats(job.outputChannels), to += bytes) {
    if (n === COLUMNS) {
      for (let j: usize = 0; j < bytes; j += 16) v128.store(to + j, v128.load(from + j));
    } else {
      for (let j = 0; j < COLUMNS; j++) store<f32>(to + floats(j), j < n ? load<f32>(from + floats(j)) : 0);
    }
  }
}

@unmanaged
class PackWeightsTransposedJob {
  task: i32;
  weights: usize;
  output: usize;
  channels: i32;
  outputChannels: i32;
  /** Number of taps to take and their list, in the order in which they are wanted. */
  taps: i32;
  list: usize;
}

/** Weights [tap][channels][outputChannels] to panels over the channels, [panel][tap][outputChannels][COLUMNS]; a task is one tap of one panel. */
export function packWeightsTransposedTask(address: usize, index: i32): void {
  const job = changetype<PackWeightsTransposedJob>(address);
  const panel = index / job.taps;
  const position = index - panel * job.taps;
  const tap = int(job.list, position);
  const n = min(COLUMNS, job.channels - panel * COLUMNS);
  const target = job.output + floats((panel * job.taps + position) * job.outputChannels * COLUMNS);
  packTransposed(job.weights + floats((tap * job.channels + panel * COLUMNS) * job.outputChannels), job.outputChannels, n, job.outputChannels, target);
}

/** The first `n` floats of `count` rows, which lie `row` floats apart, to [n][COLUMNS], filled up with zeros. */
export function packTransposed(source: usize, row: i32, count: i32, n: i32, target: usize): void {
  const step = floats(row);
  for (let c = 0; c < COLUMNS; c += 4) {
    let from = source + <usize>c * step;
    let to = target + floats(c);
    let o = 0;
    if (c + 4 <= count) {
      for (; o + 4 <= n; o += 4, from += 16, to += COLUMNS * 16) {
        const v0 = v128.load(from);
        const v1 = v128.load(from + step);
        const v2 = v128.load(from + 2 * step);
        const v3 = v128.load(from + 3 * step);
        const x0 = v128.shuffle<f32>(v0, v1, 0, 4, 1, 5);
        const x1 = v128.shuffle<f32>(v0, v1, 2, 6, 3, 7);
        const y0 = v128.shuffle<f32>(v2, v3, 0, 4, 1, 5);
        const y1 = v128.shuffle<f32>(v2, v3, 2, 6, 3, 7);
        v128.store(to, v128.shuffle<f32>(x0, y0, 0, 1, 4, 5));
        v128.store(to + COLUMNS * 4, v128.shuffle<f32>(x0, y0, 2, 3, 6, 7));
        v128.store(to + COLUMNS * 8, v128.shuffle<f32>(x1, y1, 0, 1, 4, 5));
        v128.store(to + COLUMNS * 12, v128.shuffle<f32>(x1, y1, 2, 3, 6, 7));
      }
    }
    for (; o < n; o++, from += 4, to += COLUMNS * 4) {
      for (let q = 0; q < 4; q++) store<f32>(to + floats(q), c + q < count ? load<f32>(from + <usize>q * step) : 0);
    }
  }
}

@unmanaged
class PadImagesJob {
  task: i32;
  input: usize;
  output: usize;
  /** Sizes in lines and in floats along a line, before and after. */
  height: i32;
  line: i32;
  paddedHeight: i32;
  paddedLine: i32;
  top: i32;
  left: i32;
}

/** One image with a margin of zeros; what does not fit behind is cut off. */
export function padImagesTask(address: usize, image: i32): void {
  const job = changetype<PadImagesJob>(address);
  const input = job.input + floats(image * job.height * job.line);
  const output = job.output + floats(image * job.paddedHeight * job.paddedLine);
  const n = min(job.line, job.paddedLine - job.left);
  memory.fill(output, 0, floats(job.paddedHeight * job.paddedLine));
  const last = min(job.height, job.paddedHeight - job.top);
  for (let y = 0; y < last; y++) {
    memory.copy(output + floats((y + job.top) * job.paddedLine + job.left), input + floats(y * job.line), floats(n));
  }
}
