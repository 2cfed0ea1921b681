// A number for each channel of each image: the products of a gate and the sums of its gradient, [images, pixels, channels] and [images, channels].
import { STEP, storeStep } from './channel-steps';
import { madd } from './generated/micro';
import { floats } from './words';

/** Pixels whose sum is one part, added to the others afterwards, so that long sums keep their digits. */
const PART: i32 = 64;

@unmanaged
class ScaleJob {
  task: i32;
  x: usize;
  output: usize;
  pixels: i32;
  channels: i32;
  /** Pixels of a task, and tasks of an image. */
  block: i32;
  blocks: i32;
  /** [images, channels]. */
  scale: usize;
  /** [images, channels]; 0 stands for zeros. */
  shift: usize;
  /** Of the shift. */
  factor: f32;
}

/** output = x scale + factor shift for one block of pixels. */
export function scaleChannelsTask(address: usize, index: i32): void {
  const job = changetype<ScaleJob>(address);
  const step = floats(job.channels);
  const image = index / job.blocks;
  const first = (index - image * job.blocks) * job.block;
  const from = <usize>(image * job.pixels + first) * step;
  const end = from + <usize>min(job.block, job.pixels - first) * step;
  const scales = job.scale + <usize>image * step;
  const shifts = job.shift + <usize>image * step;
  const x = job.x;
  const output = job.output;
  const factor = f32x4.splat(job.factor);
  let c: usize = 0;
  for (; c + 32 <= step; c += 32) {
    const a0 = v128.load(scales + c);
    const a1 = v128.load(scales + c, 16);
    if (job.shift) {
      const b0 = f32x4.mul(factor, v128.load(shifts + c));
      const b1 = f32x4.mul(factor, v128.load(shifts + c, 16));
      for (let o = from + c; o < end; o += step) {
        const y0 = madd(v128.load(x + o), a0, b0);
        const y1 = madd(v128.load(x + o, 16), a1, b1);
        v128.store(output + o, y1, 16);
        v128.store(output + o, y0);
      }
    } else {
      for (let o = from + c; o < end; o += step) {
        const y0 = f32x4.mul(v128.load(x + o), a0);
        const y1 = f32x4.mul(v128.load(x + o, 16), a1);
        v128.store(output + o, y1, 16);
        v128.store(output + o, y0);
      }
    }
  }
  for (; c < step; c += 4) {
    const a = load<f32>(scales + c);
    const b: f32 = job.shift ? job.factor * load<f32>(shifts + c) : 0;
    for (let o = from + c; o < end; o += step) store<f32>(output + o, load<f32>(x + o) * a + b);
  }
}

@unmanaged
class DotsJob {
  task: i32;
  x: usize;
  y: usize;
  output: usize;
  pixels: i32;
  channels: i32;
}

/** output[c] = sum over the pixels of x y, for one image. */
export function channelDotsTask(address: usize, index: i32): void {
  const job = changetype<DotsJob>(address);
  const step = floats(job.channels);
  const output = job.output + <usize>index * step;
  const begin = <usize>(index * job.pixels) * step;
  const last = begin + <usize>job.pixels * step;
  memory.fill(output, 0, step);
  for (let from = begin; from < last; from += <usize>PART * step) {
    const end = min(last, from + <usize>PART * step);
    for (let c: usize = 0; c < step; c += STEP) {
      let s0 = f32x4.splat(0);
      let s1 = s0;
      let s2 = s0;
      let s3 = s0;
      for (let o = from + c; o < end; o += step) {
        const x = job.x + o;
        const y = job.y + o;
        s0 = madd(v128.load(x), v128.load(y), s0);
        s1 = madd(v128.load(x, 16), v128.load(y, 16), s1);
        s2 = madd(v128.load(x, 32), v128.load(y, 32), s2);
        s3 = madd(v128.load(x, 48), v128.load(y, 48), s3);
      }
      s0 = f32x4.add(s0, v128.load(output + c));
      s1 = f32x4.add(s1, v128.load(output + c, 16));
      s2 = f32x4.add(s2, v128.load(output + c, 32));
      s3 = f32x4.add(s3, v128.load(output + c, 48));
      storeStep(output + c, min(STEP, step - c), s0, s1, s2, s3);
    }
  }
}
