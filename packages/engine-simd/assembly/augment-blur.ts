// Gaussian blur of an image in three planes, borders mirrored without repeating the edge.
import { planeLength } from './augment-planes';
import { floats } from './words';

/**
 * Blurs rows against each other, then within themselves.
 *
 * @param from planes that come in; unchanged
 * @param to planes that come out
 * @param extra memory for the kernel and one row with its borders
 */
export function blur(from: usize, to: usize, height: i32, width: i32, kernelSize: i32, sigma: f32, extra: usize): void {
  const radius = makeKernel(kernelSize, sigma, extra);
  const taps = 2 * radius + 1;
  const line = extra + floats(kernelSize);
  const plane = floats(planeLength(height * width));
  for (let c = 0; c < 3; c++, from += plane, to += plane) {
    for (let y = 0; y < height; y++) {
      blurColumn(from, height, width, y, radius, extra, line + floats(radius));
      for (let k = 1; k <= radius; k++) {
        store<f32>(line + floats(radius - k), load<f32>(line + floats(radius + k)));
        store<f32>(line + floats(radius + width - 1 + k), load<f32>(line + floats(radius + width - 1 - k)));
      }
      blurRow(line, taps, width, extra, to + floats(y * width));
    }
  }
}

/**
 * The normalised kernel exp(-k^2 / (2 sigma^2)), in the middle `2 radius + 1` of its taps.
 *
 * @returns radius: taps below 1e-20 change nothing and are left out
 */
function makeKernel(kernelSize: i32, sigma: f32, kernel: usize): i32 {
  const half = (kernelSize - 1) / 2;
  let radius = 0;
  let total: f64 = 1;
  for (let k = 1; k <= half; k++) {
    const ratio = <f64>k / <f64>sigma;
    const weight = NativeMath.exp(-0.5 * ratio * ratio);
    if (weight < 1e-20) break;
    total += 2 * weight;
    radius = k;
  }
  for (let k = -radius; k <= radius; k++) {
    const ratio = <f64>k / <f64>sigma;
    store<f32>(kernel + floats(k + radius), <f32>(NativeMath.exp(-0.5 * ratio * ratio) / total));
  }
  return radius;
}

/** Row `y` of the image blurred downwards: line = sum of the rows around it, each times its tap. */
function blurColumn(plane: usize, height: i32, width: i32, y: i32, radius: i32, kernel: usize, line: usize): void {
  const taps = 2 * radius + 1;
  for (let x = 0; x < width; x += 16) {
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    const vectors = (width - x + 3) >> 2;
    for (let k = 0; k < taps; k++) {
      const at = plane + floats(mirror(y + k - radius, height) * width + x);
      const tap = v128.load32_splat(kernel + floats(k));
      s0 = f32x4.add(s0, f32x4.mul(v128.load(at), tap));
      if (vectors > 1) s1 = f32x4.add(s1, f32x4.mul(v128.load(at, 16), tap));
      if (vectors > 2) s2 = f32x4.add(s2, f32x4.mul(v128.load(at, 32), tap));
      if (vectors > 3) s3 = f32x4.add(s3, f32x4.mul(v128.load(at, 48), tap));
    }
    const to = line + floats(x);
    v128.store(to, s0);
    if (vectors > 1) v128.store(to, s1, 16);
    if (vectors > 2) v128.store(to, s2, 32);
    if (vectors > 3) v128.store(to, s3, 48);
  }
}

/** Index of row or column `i` of `n` after a reflection at either end. */
// @ts-expect-error: a decorator of the compiler
@inline
function mirror(i: i32, n: i32): i32 {
  return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
}

/** A row with its borders blurred along itself; may write up to three floats too many. */
function blurRow(line: usize, taps: i32, width: i32, kernel: usize, to: usize): void {
  for (let x = 0; x < width; x += 8) {
    const at = line + floats(x);
    const both = width - x > 4;
    let s0 = f32x4.splat(0);
    let s1 = s0;
    for (let k = 0; k < taps; k++) {
      const tap = v128.load32_splat(kernel + floats(k));
      s0 = f32x4.add(s0, f32x4.mul(v128.load(at + floats(k)), tap));
      s1 = f32x4.add(s1, f32x4.mul(v128.load(at + floats(k), 16), tap));
    }
    v128.store(to + floats(x), s0);
    if (both) v128.store(to + floats(x), s1, 16);
  }
}
