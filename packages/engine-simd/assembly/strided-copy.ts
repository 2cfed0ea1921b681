// Values from one layout to another: every operation that moves values and computes nothing is one such copy, or a few.
import { floats } from './words';

@unmanaged
class StridedCopyJob {
  task: i32;
  input: usize;
  output: usize;
  /** Length of the innermost axis, and by how many elements input and output advance along it. */
  inner: i32;
  inputStep: i32;
  outputStep: i32;
  /** Product of the outer axes and how many of their positions one task copies. */
  rows: i32;
  rowBlock: i32;
  /** Number of outer axes; for each, from the innermost: length, step of the input, step of the output. They follow. */
  axes: i32;
}

/** Copies a block of rows. */
export function stridedCopyTask(address: usize, index: i32): void {
  const job = changetype<StridedCopyJob>(address);
  const last = min(job.rows, (index + 1) * job.rowBlock);
  const axes = address + offsetof<StridedCopyJob>();
  for (let row = index * job.rowBlock; row < last; row++) {
    let rest = row;
    let from = 0;
    let to = 0;
    for (let axis = 0; axis < job.axes; axis++) {
      const entry = axes + <usize>(axis * 12);
      const length = load<i32>(entry);
      const next = rest / length;
      const position = rest - next * length;
      from += position * load<i32>(entry, 4);
      to += position * load<i32>(entry, 8);
      rest = next;
    }
    copyRow(job.input + floats(from), job.inputStep, job.output + floats(to), job.outputStep, job.inner);
  }
}

function copyRow(input: usize, inputStep: i32, output: usize, outputStep: i32, n: i32): void {
  if (inputStep === 1 && outputStep === 1) {
    memory.copy(output, input, floats(n));
  } else if (inputStep === 0 && outputStep === 1) {
    const value = v128.load32_splat(input);
    let i = 0;
    for (; i + 4 <= n; i += 4) v128.store(output + floats(i), value);
    for (; i < n; i++) v128.store32_lane(output + floats(i), value, 0);
  } else {
    const from = floats(inputStep);
    const to = floats(outputStep);
    for (; n > 0; n--, input += from, output += to) store<u32>(output, load<u32>(input));
  }
}
