// Gradient of a convolution's weights: dW[tap, c, o] = sum over rows of input[row + tap, c] dy[row, o], over those rows for which the
// tap is inside the image. Also the matrix product A^T B.
import { COLUMNS, microColumns, microPacked, packColumns, ROWS } from './generated/micro';
import { edgeTile, writeEdge } from './convolution';
import { floats, pointer, setPointer } from './words';

/** Rows that are multiplied at once; they stay in the second cache while a task walks through its taps. */
const ROW_BLOCK: i32 = 256;

@unmanaged
class FilterGradientJob {
  task: i32;
  input: usize;
  dy: usize;
  /** Where the first part goes; part q lies q * partSize floats behind. */
  output: usize;
  partSize: i32;
  channels: i32;
  outputChannels: i32;
  strideY: i32;
  strideX: i32;
  originY: i32;
  originX: i32;
  inputHeight: i32;
  inputWidth: i32;
  tapsX: i32;
  inputImage: i32;
  inputLine: i32;
  inputPixel: i32;
  dyImage: i32;
  dyLine: i32;
  dyPixel: i32;
  outputHeight: i32;
  outputWidth: i32;
  tasks: usize;
  /** Whether rows are multiplied where they lie and not packed: better where there are few channels. */
  direct: i32;
}

@unmanaged
class FilterGradientTask {
  tap0: i32;
  tap1: i32;
  image0: i32;
  image1: i32;
  channel0: i32;
  channel1: i32;
  outputChannel0: i32;
  outputChannel1: i32;
  part: i32;
}

// Scratch memory of a task; EDGE_TILE and EDGE_ROWS of convolution.ts lie at 0x2000 and 0x3000.
const INPUT_ROWS: usize = 0;
const DY_ROWS: usize = 0x1000;
const EDGE_TILE: usize = 0x2000;
const OUTPUT_ROWS: usize = 0x3800;
const PACKED_INPUT: usize = 0x4000;
const PACKED_DY: usize = 0x40000;

/** All rows of a task's images, block by block. */
export function filterGradientTask(address: usize, index: i32, scratch: usize): void {
  const job = changetype<FilterGradientJob>(address);
  const task = changetype<FilterGradientTask>(job.tasks + <usize>index * offsetof<FilterGradientTask>());
  const pixels = job.outputHeight * job.outputWidth;
  if (pixels >= ROW_BLOCK) {
    const lines = max(1, ROW_BLOCK / job.outputWidth);
    for (let n = task.image0; n < task.image1; n++) {
      for (let y = 0; y < job.outputHeight; y += lines) {
        for (let x = 0; x < job.outputWidth; x += ROW_BLOCK) {
          const first = n === task.image0 && y === 0 && x === 0;
          const y1 = min(job.outputHeight, y + lines);
          addBlock(job, task, scratch, n, n + 1, y, y1, x, min(job.outputWidth, x + ROW_BLOCK), first);
        }
      }
    }
  } else {
    const images = ROW_BLOCK / pixels;
    for (let n = task.image0; n < task.image1; n += images) {
      addBlock(job, task, scratch, n, min(task.image1, n + images), 0, job.outputHeight, 0, job.outputWidth, n === task.image0);
    }
  }
}

/** Adds the products of images [n0, n1), output lines [y0, y1), columns [x0, x1), for every tap of the task. */
function addBlock(
  job: FilterGradientJob,
  task: FilterGradientTask,
  scratch: usize,
  n0: i32,
  n1: i32,
  y0: i32,
  y1: i32,
  x0: i32,
  x1: i32,
  first: bool,
): void {
  let packedFor: u64 = u64.MAX_VALUE;
  for (let tap = task.tap0; tap < task.tap1; tap++) {
    const tapY = tap / job.tapsX;
    const top = job.originY + tapY;
    const left = job.originX + tap - tapY * job.tapsX;
    const i0 = max(y0, firstInside(top, job.strideY));
    const i1 = min(y1, endInside(top, job.strideY, job.inputHeight));
    const j0 = max(x0, firstInside(left, job.strideX));
    const j1 = min(x1, endInside(left, job.strideX, job.inputWidth));
    const output = job.output + floats(task.part * job.partSize + tap * job.channels * job.outputChannels);
    if (i1 <= i0 || j1 <= j0) {
      if (first) clear(job, task, output);
      continue;
    }
    let rows = 0;
    for (let n = n0; n < n1; n++) {
      for (let i = i0; i < i1; i++) {
        let x = job.input + floats(n * job.inputImage + (i * job.strideY + top) * job.inputLine + (j0 * job.strideX + left) * job.inputPixel);
        let d = job.dy + floats(n * job.dyImage + i * job.dyLine + j0 * job.dyPixel);
        for (let j = j0; j < j1; j++, rows++) {
          setPointer(scratch + INPUT_ROWS, rows, x);
          setPointer(scratch + DY_ROWS, rows, d);
          x += floats(job.strideX * job.inputPixel);
          d += floats(job.dyPixel);
        }
      }
    }
    const range = ((<u64>i0) << 48) | ((<u64>i1) << 32) | ((<u64>j0) << 16) | (<u64>j1);
    multiply(job, task, scratch, rows, output, range !== packedFor, first ? 1 : 0);
    packedFor = range;
  }
}

/** First output position whose tap is not before the image. */
function firstInside(origin: i32, stride: i32): i32 {
  return origin < 0 ? (stride - 1 - origin) / stride : 0;
}

/** First output position whose tap is behind the image. */
function endInside(origin: i32, stride: i32, size: i32): i32 {
  return size - 1 - origin < 0 ? 0 : (size - 1 - origin) / stride + 1;
}

function clear(job: FilterGradientJob, task: FilterGradientTask, output: usize): void {
  const bytes = floats(task.outputChannel1 - task.outputChannel0);
  for (let c = task.channel0; c < task.channel1; c++) {
    memory.fill(output + floats(c * job.outputChannels + task.outputChannel0), 0, bytes);
  }
}

/** output[c, o] (+)= sum over the listed rows; `fresh` says whether those of dy differ from the packed ones. */
function multiply(
  job: FilterGradientJob,
  task: FilterGradientTask,
  scratch: usize,
  rows: i32,
  output: usize,
  fresh: bool,
  overwrite: i32,
): void {
  const panelsA = (task.channel1 - task.channel0 + ROWS - 1) / ROWS;
  const panelsB = (task.outputChannel1 - task.outputChannel0 + COLUMNS - 1) / COLUMNS;
  const inputRows = scratch + INPUT_ROWS;
  const dyRows = scratch + DY_ROWS;
  if (!job.direct) {
    for (let p = 0; p < panelsA; p++) {
      packColumns(rows, inputRows, floats(task.channel0 + p * ROWS), scratch + PACKED_INPUT + floats(p * ROWS * rows));
    }
    for (let q = 0; fresh && q < panelsB; q++) {
      packWide(rows, dyRows, floats(task.outputChannel0 + q * COLUMNS), scratch + PACKED_DY + floats(q * COLUMNS * rows));
    }
  }
  for (let q = 0; q < panelsB; q++) {
    const o = task.outputChannel0 + q * COLUMNS;
    for (let p = 0; p < panelsA; p++) {
      const c = task.channel0 + p * ROWS;
      const m = min(ROWS, task.channel1 - c);
      const whole = m === ROWS && o + COLUMNS <= job.outputChannels;
      const table = scratch + OUTPUT_ROWS;
      for (let r = 0; r < m; r++) setPointer(table, r, output + floats((c + r) * job.outputChannels));
      const target = whole ? table : edgeTile(scratch);
      const offset: usize = whole ? floats(o) : 0;
      const fill = whole ? overwrite : 1;
      if (job.direct) {
        microColumns(rows, inputRows, floats(c), dyRows, floats(o), target, offset, fill);
      } else {
        const a = scratch + PACKED_INPUT + floats(p * ROWS * rows);
        microPacked(rows, a, scratch + PACKED_DY + floats(q * COLUMNS * rows), target, offset, fill);
      }
      if (!whole) writeEdge(scratch + EDGE_TILE, table, floats(o), m, min(COLUMNS, job.outputChannels - o), overwrite);
    }
  }
}

/** `COLUMNS` consecutive floats from each of n row addresses. */
function packWide(n: i32, rows: usize, offset: usize, target: usize): void {
  const bytes = floats(COLUMNS);
  for (let k = 0; k < n; k++, target += bytes) {
    const from = pointer(rows, k) + offset;
    for (let j: usize = 0; j < bytes; j += 16) v128.store(target + j, v128.load(from + j));
  }
}
