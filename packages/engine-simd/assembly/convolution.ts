// Convolution as matrix products on rows that are gathered where they lie: forward, and the gradient of the input as one
// convolution of dy for each phase of the strides.
//
// Taps outside the image are skipped, not multiplied by zero: outputs are grouped by the taps that are inside, and a task carries
// the range of taps that is valid for all its rows.
import { COLUMNS, microPacked, microRows, packRows, ROWS } from './generated/micro';
import { floats, pointer, setPointer } from './words';

/** Longest stretch of the sum that is multiplied at once; the splits depend on the shape alone, never on the tile. */
const K_BLOCK: i32 = 256;

@unmanaged
class ConvolutionJob {
  task: i32;
  input: usize;
  /** Packed in panels of COLUMNS output channels: [panel][tap][input channel][COLUMNS]. */
  weights: usize;
  output: usize;
  channels: i32;
  outputChannels: i32;
  strideY: i32;
  strideX: i32;
  /** Position in the input of tap (0, 0) of output (0, 0). */
  originY: i32;
  originX: i32;
  tapsY: i32;
  tapsX: i32;
  /** Steps of the input and of the output from image to image, line to line, pixel to pixel; in floats. */
  inputImage: i32;
  inputLine: i32;
  inputPixel: i32;
  outputImage: i32;
  outputLine: i32;
  outputPixel: i32;
  tasks: usize;
  /** Whether the input is multiplied where it lies and not packed: better where there are few output channels. */
  direct: i32;
}

@unmanaged
class ConvolutionTask {
  /** Rectangle of outputs with the same valid taps. */
  y: i32;
  height: i32;
  x: i32;
  width: i32;
  tapY0: i32;
  tapY1: i32;
  tapX0: i32;
  tapX1: i32;
  /** Rows of this task: output pixels of that rectangle, counted through all images. */
  row0: i32;
  row1: i32;
  /** Output channels of this task. */
  channel0: i32;
  channel1: i32;
}

// Scratch memory of a task.
const INPUT_ROWS: usize = 0;
const OUTPUT_ROWS: usize = 0x1000;
const EDGE_TILE: usize = 0x2000;
const EDGE_ROWS: usize = 0x3000;
const PACKED: usize = 0x4000;

/** output[n, y, x, :] = sum over taps and channels of input[n, y strideY + originY + tapY, ..., c] weights[tapY, tapX, c, :]. */
export function convolutionTask(address: usize, index: i32, scratch: usize): void {
  const job = changetype<ConvolutionJob>(address);
  const task = changetype<ConvolutionTask>(job.tasks + <usize>index * offsetof<ConvolutionTask>());
  const rows = task.row1 - task.row0;
  const panels = (rows + ROWS - 1) / ROWS;
  listRows(job, task, scratch, panels * ROWS);

  const line = (task.tapX1 - task.tapX0) * job.channels;
  const depth = job.tapsY * job.tapsX * job.channels;
  const firstTap = (task.tapY0 * job.tapsX + task.tapX0) * job.channels;
  const isEmpty = task.tapY0 === task.tapY1 || line === 0; // all zeros: there is nothing to pack
  if (job.direct || isEmpty) {
    const runs = task.tapY1 - task.tapY0;
    const aStep = floats(job.inputLine - line);
    const bStep = floats((job.tapsX * job.channels - line) * COLUMNS);
    for (let c = task.channel0; c < task.channel1; c += COLUMNS) {
      const b = job.weights + floats(((c / COLUMNS) * depth + firstTap) * COLUMNS);
      for (let p = 0; p < panels; p++) {
        const table = scratch + OUTPUT_ROWS + floats(p * ROWS);
        const a = scratch + INPUT_ROWS + floats(p * ROWS);
        if ((p + 1) * ROWS <= rows && c + COLUMNS <= job.outputChannels) {
          microRows(runs, line, aStep, bStep, a, b, table, floats(c), 1);
        } else {
          const tile = edgeTile(scratch);
          microRows(runs, line, aStep, bStep, a, b, tile, 0, 1);
          writeEdge(scratch + EDGE_TILE, table, floats(c), min(ROWS, rows - p * ROWS), min(COLUMNS, job.outputChannels - c), 1);
        }
      }
    }
    return;
  }

  // Where all taps of a line are valid, lines follow each other in the packed weights, and the sum runs through them at a stretch.
  const full = task.tapX0 === 0 && task.tapX1 === job.tapsX;
  const runs = full ? 1 : task.tapY1 - task.tapY0;
  const length = full ? (task.tapY1 - task.tapY0) * line : line;
  const blocks = (length + K_BLOCK - 1) / K_BLOCK;
  const step = (length + blocks - 1) / blocks;
  let overwrite = 1;
  for (let run = 0; run < runs; run++) {
    const k0 = firstTap + run * job.tapsX * job.channels;
    for (let k = 0; k < length; k += step) {
      const n = min(step, length - k);
      for (let p = 0; p < panels; p++) packPanel(job, scratch, p, run, line, k, n);
      for (let c = task.channel0; c < task.channel1; c += COLUMNS) {
        const b = job.weights + floats(((c / COLUMNS) * depth + k0 + k) * COLUMNS);
        for (let p = 0; p < panels; p++) {
          const a = scratch + PACKED + floats(p * ROWS * n);
          const table = scratch + OUTPUT_ROWS + floats(p * ROWS);
          if ((p + 1) * ROWS <= rows && c + COLUMNS <= job.outputChannels) {
            microPacked(n, a, b, table, floats(c), overwrite);
          } else {
            microPacked(n, a, b, edgeTile(scratch), 0, 1);
            writeEdge(
              scratch + EDGE_TILE,
              table,
              floats(c),
              min(ROWS, rows - p * ROWS),
              min(COLUMNS, job.outputChannels - c),
              overwrite,
            );
          }
        }
      }
      overwrite = 0;
    }
  }
}

/** Writes the addresses of the task's input and output rows into their tables; rows that fill up the last panel repeat the first. */
function listRows(job: ConvolutionJob, task: ConvolutionTask, scratch: usize, count: i32): void {
  const rows = task.row1 - task.row0;
  const area = task.height * task.width;
  let image = task.row0 / area;
  const rest = task.row0 - image * area;
  let i = rest / task.width;
  let j = rest - i * task.width;
  const top = job.originY + task.tapY0;
  const left = job.originX + task.tapX0;
  for (let r = 0; r < count; r++) {
    if (r >= rows) {
      setPointer(scratch + INPUT_ROWS, r, pointer(scratch + INPUT_ROWS, 0));
      continue;
    }
    const y = task.y + i;
    const x = task.x + j;
    const from = image * job.inputImage + (y * job.strideY + top) * job.inputLine + (x * job.strideX + left) * job.inputPixel;
    setPointer(scratch + INPUT_ROWS, r, job.input + floats(from));
    setPointer(
      scratch + OUTPUT_ROWS,
      r,
      job.output + floats(image * job.outputImage + y * job.outputLine + x * job.outputPixel),
    );
    if (++j === task.width) {
      j = 0;
      if (++i === task.height) {
        i = 0;
        image++;
      }
    }
  }
}

/** Packs [k, k + n) of the sum for one panel of rows, split where an input line ends. */
function packPanel(job: ConvolutionJob, scratch: usize, panel: i32, run: i32, line: i32, k: i32, n: i32): void {
  const table = scratch + INPUT_ROWS + floats(panel * ROWS);
  let target = scratch + PACKED + floats(panel * ROWS * n);
  while (n > 0) {
    const tapLine = k / line;
    const offset = k - tapLine * line;
    const m = min(n, line - offset);
    packRows(m, table, floats((tapLine + run) * job.inputLine + offset), target);
    target += floats(m * ROWS);
    k += m;
    n -= m;
  }
}

/** Table of the rows of a scratch tile, for tiles of C that are not whole. */
export function edgeTile(scratch: usize): usize {
  for (let r = 0; r < ROWS; r++) setPointer(scratch + EDGE_ROWS, r, scratch + EDGE_TILE + floats(r * COLUMNS));
  return scratch + EDGE_ROWS;
}

/** Adds or writes the part of a scratch tile that lies inside C. */
export function writeEdge(tile: usize, table: usize, offset: usize, rows: i32, columns: i32, overwrite: i32): void {
  for (let r = 0; r < rows; r++) {
    const to = pointer(table, r) + offset;
    const from = tile + floats(r * COLUMNS);
    for (let c = 0; c < columns; c++) {
      const value = load<f32>(from + floats(c));
      store<f32>(to + floats(c), overwrite ? value : load<f32>(to + floats(c)) + value);
    }
  }
}
