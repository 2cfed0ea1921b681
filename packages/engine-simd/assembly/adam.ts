import { floats } from './words';

@unmanaged
class AdamJob {
  task: i32;
  /** Entries of five words: parameter, gradient, first moment, second moment, number of elements. A task is one entry. */
  table: usize;
  beta1: f32;
  beta2: f32;
  /** 1 - beta, computed in double precision. */
  newShare1: f32;
  newShare2: f32;
  /** learningRate / (1 - beta1^t). */
  stepSize: f32;
  /** 1 / sqrt(1 - beta2^t). */
  inverseRoot: f32;
  epsilon: f32;
  /** Added to the gradient: decay times the parameter (L2). */
  decay: f32;
  /** Factor of the parameter before the step (decoupled decay). */
  keep: f32;
  /** Factor of the gradient. */
  factor: f32;
}

/** One block of one parameter. */
export function adamTask(address: usize, index: i32): void {
  const job = changetype<AdamJob>(address);
  const entry = job.table + <usize>(index * 20);
  const parameter = <usize>load<u32>(entry);
  const gradient = <usize>load<u32>(entry, 4);
  const first = <usize>load<u32>(entry, 8);
  const second = <usize>load<u32>(entry, 12);
  const end = floats(load<i32>(entry, 16));
  const beta1 = f32x4.splat(job.beta1);
  const beta2 = f32x4.splat(job.beta2);
  const new1 = f32x4.splat(job.newShare1);
  const new2 = f32x4.splat(job.newShare2);
  const stepSize = f32x4.splat(job.stepSize);
  const inverseRoot = f32x4.splat(job.inverseRoot);
  const epsilon = f32x4.splat(job.epsilon);
  const decay = f32x4.splat(job.decay);
  const keep = f32x4.splat(job.keep);
  const factor = f32x4.splat(job.factor);
  let o: usize = 0;
  for (; o + 16 <= end; o += 16) {
    const p = v128.load(parameter + o);
    const g = f32x4.add(f32x4.mul(v128.load(gradient + o), factor), f32x4.mul(p, decay));
    const m = f32x4.add(f32x4.mul(v128.load(first + o), beta1), f32x4.mul(g, new1));
    const v = f32x4.add(f32x4.mul(v128.load(second + o), beta2), f32x4.mul(f32x4.mul(g, g), new2));
    const divisor = f32x4.add(f32x4.mul(f32x4.sqrt(v), inverseRoot), epsilon);
    v128.store(first + o, m);
    v128.store(second + o, v);
    v128.store(parameter + o, f32x4.sub(f32x4.mul(p, keep), f32x4.div(f32x4.mul(m, stepSize), divisor)));
  }
  for (; o < end; o += 4) {
    const p = load<f32>(parameter + o);
    const g = load<f32>(gradient + o) * job.factor + p * job.decay;
    const m = load<f32>(first + o) * job.beta1 + g * job.newShare1;
    const v = load<f32>(second + o) * job.beta2 + g * g * job.newShare2;
    store<f32>(first + o, m);
    store<f32>(second + o, v);
    store<f32>(parameter + o, p * job.keep - (m * job.stepSize) / (sqrt<f32>(v) * job.inverseRoot + job.epsilon));
  }
}
