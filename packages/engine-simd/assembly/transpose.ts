import { floats } from './words';

@unmanaged
class TransposeJob {
  task: i32;
  input: usize;
  output: usize;
  /** The input has shape [batch, rows, columns], the output [batch, columns, rows]. */
  rows: i32;
  columns: i32;
  /** Columns of one task, a multiple of 4. */
  block: i32;
}

/** Swaps the last two axes for one block of columns of one matrix. */
export function transposeTask(address: usize, index: i32): void {
  const job = changetype<TransposeJob>(address);
  const blocks = (job.columns + job.block - 1) / job.block;
  const matrix = index / blocks;
  const first = (index - matrix * blocks) * job.block;
  const last = min(job.columns, first + job.block);
  const inputStep = floats(job.columns);
  const outputStep = floats(job.rows);
  const input = job.input + <usize>matrix * floats(job.rows * job.columns);
  const output = job.output + <usize>matrix * floats(job.rows * job.columns);
  const wholeRows = job.rows & ~3;
  let c = first;
  for (; c + 4 <= last; c += 4) {
    let p = input + floats(c);
    let o = output + <usize>c * outputStep;
    for (let r = 0; r < wholeRows; r += 4, p += 4 * inputStep, o += 16) {
      const v0 = v128.load(p);
      const v1 = v128.load(p + inputStep);
      const v2 = v128.load(p + 2 * inputStep);
      const v3 = v128.load(p + 3 * inputStep);
      const x0 = v128.shuffle<f32>(v0, v1, 0, 4, 1, 5);
      const x1 = v128.shuffle<f32>(v0, v1, 2, 6, 3, 7);
      const y0 = v128.shuffle<f32>(v2, v3, 0, 4, 1, 5);
      const y1 = v128.shuffle<f32>(v2, v3, 2, 6, 3, 7);
      v128.store(o, v128.shuffle<f32>(x0, y0, 0, 1, 4, 5));
      v128.store(o + outputStep, v128.shuffle<f32>(x0, y0, 2, 3, 6, 7));
      v128.store(o + 2 * outputStep, v128.shuffle<f32>(x1, y1, 0, 1, 4, 5));
      v128.store(o + 3 * outputStep, v128.shuffle<f32>(x1, y1, 2, 3, 6, 7));
    }
    copyRest(input, output, wholeRows, job.rows, c, c + 4, inputStep, outputStep);
  }
  copyRest(input, output, 0, job.rows, c, last, inputStep, outputStep);
}

function copyRest(input: usize, output: usize, r0: i32, r1: i32, c0: i32, c1: i32, inputStep: usize, outputStep: usize): void {
  for (let c = c0; c < c1; c++) {
    for (let r = r0; r < r1; r++) {
      store<f32>(output + <usize>c * outputStep + floats(r), load<f32>(input + <usize>r * inputStep + floats(c)));
    }
  }
}
