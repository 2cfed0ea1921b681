import { binaryRow, unaryRow } from './generated/elementwise';
import { floats } from './words';

@unmanaged
class UnaryJob {
  task: i32;
  operation: i32;
  input: usize;
  output: usize;
  size: i32;
  block: i32;
}

/** Block `index` of output = f(input). */
export function unaryTask(address: usize, index: i32): void {
  const job = changetype<UnaryJob>(address);
  const first = index * job.block;
  const offset = floats(first);
  unaryRow(job.operation, job.input + offset, job.output + offset, min(job.block, job.size - first));
}

@unmanaged
class BinaryJob {
  task: i32;
  operation: i32;
  a: usize;
  b: usize;
  output: usize;
  /** Length of the innermost axis; an operand advances along it by 0 or 1. */
  inner: i32;
  aStep: i32;
  bStep: i32;
  /** Part of the innermost axis that one task computes. */
  innerBlock: i32;
  /** Product of the outer axes and how many of their positions one task computes. */
  rows: i32;
  rowBlock: i32;
  /** Number of outer axes; for each, from the innermost: size, step of a, step of b (floats). They follow. */
  axes: i32;
}

/** One block of output = f(a, b) with broadcasting. */
export function binaryTask(address: usize, index: i32): void {
  const job = changetype<BinaryJob>(address);
  const innerBlocks = (job.inner + job.innerBlock - 1) / job.innerBlock;
  const rowPart = index / innerBlocks;
  const from = (index - rowPart * innerBlocks) * job.innerBlock;
  const n = min(job.innerBlock, job.inner - from);
  const last = min(job.rows, (rowPart + 1) * job.rowBlock);
  const axes = address + offsetof<BinaryJob>();
  for (let row = rowPart * job.rowBlock; row < last; row++) {
    let rest = row;
    let a = job.aStep * from;
    let b = job.bStep * from;
    for (let axis = 0; axis < job.axes; axis++) {
      const entry = axes + <usize>(axis * 12);
      const size = load<i32>(entry);
      const next = rest / size;
      const position = rest - next * size;
      a += position * load<i32>(entry, 4);
      b += position * load<i32>(entry, 8);
      rest = next;
    }
    binaryRow(job.operation, job.a + floats(a), job.aStep, job.b + floats(b), job.bStep, job.output + floats(row * job.inner + from), n);
  }
}
