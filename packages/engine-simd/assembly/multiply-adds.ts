import { multiplyAdds } from './generated/micro';

@unmanaged
class MultiplyAddsJob {
  task: i32;
  /** Vectors that are worked on in turns: 14 or 24. */
  chains: i32;
  repetitions: i32;
}

/** Multiply-adds and nothing else, on each thread: what the processor can do at most. */
export function multiplyAddsTask(address: usize, scratch: usize): void {
  const job = changetype<MultiplyAddsJob>(address);
  for (let i = 0; i < job.chains * 4; i++) store<f32>(scratch + (<usize>i << 2), 0.5);
  multiplyAdds(job.chains, job.repetitions, scratch);
}
