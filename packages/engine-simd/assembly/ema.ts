import { floats } from './words';

@unmanaged
class EmaJob {
  task: i32;
  /** Entries of three words: average, value, number of elements. A task is one entry. */
  table: usize;
  /** 1: the average starts from the value, 0: from itself. */
  fromValue: i32;
  /** What is added of the difference value - average. */
  factor: f32;
}

/** One block of one average. */
export function emaTask(address: usize, index: i32): void {
  const job = changetype<EmaJob>(address);
  const entry = job.table + <usize>(index * 12);
  const average = <usize>load<u32>(entry);
  const value = <usize>load<u32>(entry, 4);
  const end = floats(load<i32>(entry, 8));
  const start = job.fromValue != 0 ? value : average;
  const factor = f32x4.splat(job.factor);
  let o: usize = 0;
  for (; o + 16 <= end; o += 16) {
    const difference = f32x4.sub(v128.load(value + o), v128.load(average + o));
    v128.store(average + o, f32x4.add(v128.load(start + o), f32x4.mul(difference, factor)));
  }
  for (; o < end; o += 4) {
    const difference = load<f32>(value + o) - load<f32>(average + o);
    store<f32>(average + o, load<f32>(start + o) + difference * job.factor);
  }
}
