// SGD with momentum and LARS for many parameters as one job. What differs from parameter to parameter stands in the entries of a table;
// where a trust ratio is wanted, a first job sums the squares that it is made of.
import { floats } from './words';

@unmanaged
class MomentumJob {
  task: i32;
  /** Entries of eight words, one a task. */
  table: usize;
  momentum: f32;
  /** 1: look ahead. */
  nesterov: i32;
  /** Factor of the gradients. */
  gradientFactor: f32;
  /** 1: the ratio is taken of the update, not of the gradient. */
  ofUpdate: i32;
}

@unmanaged
class MomentumEntry {
  parameter: usize;
  gradient: usize;
  /** 0: none. */
  velocity: usize;
  size: i32;
  decay: f32;
  /** Factor of the decayed gradient on its way into the velocity. */
  incoming: f32;
  /** Factor of the update on its way into the parameter. */
  outgoing: f32;
  /** Where the sums of squares of parameter and direction go, two float64. */
  sums: usize;
}

/** v <- momentum v + incoming g; p <- p - outgoing d for one block of one parameter. */
export function momentumTask(address: usize, index: i32): void {
  const job = changetype<MomentumJob>(address);
  const entry = changetype<MomentumEntry>(job.table + <usize>index * offsetof<MomentumEntry>());
  const momentum = f32x4.splat(job.momentum);
  const factor = f32x4.splat(job.gradientFactor);
  const decay = f32x4.splat(entry.decay);
  const incoming = f32x4.splat(entry.incoming);
  const outgoing = f32x4.splat(entry.outgoing);
  const parameter = entry.parameter;
  const gradient = entry.gradient;
  const velocity = entry.velocity;
  const end = floats(entry.size);
  // The last vector may run over into the reserve behind the block of memory, which belongs to this tensor.
  for (let o: usize = 0; o < end; o += 16) {
    const p = v128.load(parameter + o);
    const decayed = f32x4.add(f32x4.mul(v128.load(gradient + o), factor), f32x4.mul(p, decay));
    const entering = f32x4.mul(decayed, incoming);
    let update = entering;
    if (velocity) {
      const v = f32x4.add(f32x4.mul(v128.load(velocity + o), momentum), entering);
      v128.store(velocity + o, v);
      update = job.nesterov ? f32x4.add(f32x4.mul(v, momentum), entering) : v;
    }
    v128.store(parameter + o, f32x4.sub(p, f32x4.mul(update, outgoing)));
  }
}

/** Sums of squares of one block of a parameter, and of the direction that its trust ratio is taken of. */
export function momentumSumsTask(address: usize, index: i32): void {
  const job = changetype<MomentumJob>(address);
  const entry = changetype<MomentumEntry>(job.table + <usize>index * offsetof<MomentumEntry>());
  const end = floats(entry.size);
  let sizes: f64 = 0;
  let lengths: f64 = 0;
  for (let o: usize = 0; o < end; o += 4) {
    const p = load<f32>(entry.parameter + o);
    let d = load<f32>(entry.gradient + o) * job.gradientFactor + p * entry.decay;
    if (job.ofUpdate && entry.velocity) {
      const v = load<f32>(entry.velocity + o) * job.momentum + d;
      d = job.nesterov ? v * job.momentum + d : v;
    }
    sizes += <f64>p * <f64>p;
    lengths += <f64>d * <f64>d;
  }
  store<f64>(entry.sums, sizes);
  store<f64>(entry.sums, lengths, 8);
}
