import { CHAINS, COLUMNS, microPacked, multiplyAdds, ROWS } from './generated/micro';
import { floats, setPointer } from './words';

@unmanaged
class MultiplyAddsJob {
  task: i32;
  /** 1: in the micro-kernel of products, on operands that stay in the first cache; 0: in registers alone. */
  tiled: i32;
  /** Multiply-adds of numbers, about. */
  work: i32;
}

/** Products that are summed in one call of the micro-kernel. */
const DEPTH: i32 = 128;

/** Multiply-adds and nothing else: what the processor can do at most. */
export function multiplyAddsTask(address: usize, scratch: usize): void {
  const job = changetype<MultiplyAddsJob>(address);
  for (let i = 0; i < DEPTH * (ROWS + COLUMNS); i++) store<f32>(scratch + 0x4000 + floats(i), 0.5);
  if (!job.tiled) {
    multiplyAdds(job.work / (4 * CHAINS), scratch + 0x4000);
    return;
  }
  for (let r = 0; r < ROWS; r++) setPointer(scratch, r, scratch + 0x1000 + floats(r * COLUMNS));
  const b = scratch + 0x4000 + floats(DEPTH * ROWS);
  for (let i = 0; i < job.work / (DEPTH * ROWS * COLUMNS); i++) {
    microPacked(DEPTH, scratch + 0x4000, b, scratch, 0, 1);
  }
}
