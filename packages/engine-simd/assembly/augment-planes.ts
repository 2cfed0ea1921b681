// Images as three planes, one per channel, and what happens to each value by itself.
import { floats } from './words';

/** Floats from one plane to the next: whole vectors, and room for the last one of a row to run over. */
export function planeLength(size: i32): i32 {
  return (size + 7) & ~3;
}

/** Three planes as pixels of three floats. */
export function interleave(planes: usize, size: i32, pixels: usize): void {
  const plane = floats(planeLength(size));
  let i = 0;
  for (; i <= size - 4; i += 4) {
    const at = planes + floats(i);
    const r = v128.load(at);
    const g = v128.load(at + plane);
    const b = v128.load(at + 2 * plane);
    const to = pixels + floats(3 * i);
    const rg = f32x4.shuffle(r, g, 0, 4, 1, 5);
    v128.store(to, f32x4.shuffle(rg, f32x4.shuffle(b, r, 0, 5, 0, 0), 0, 1, 4, 5));
    v128.store(to, f32x4.shuffle(f32x4.shuffle(g, b, 1, 5, 0, 0), f32x4.shuffle(r, g, 2, 6, 0, 0), 0, 1, 4, 5), 16);
    v128.store(to, f32x4.shuffle(f32x4.shuffle(b, r, 2, 7, 0, 0), f32x4.shuffle(g, b, 3, 7, 0, 0), 0, 1, 4, 5), 32);
  }
  for (; i < size; i++) {
    const at = planes + floats(i);
    const to = pixels + floats(3 * i);
    store<f32>(to, load<f32>(at));
    store<f32>(to, load<f32>(at + plane), 4);
    store<f32>(to, load<f32>(at + 2 * plane), 8);
  }
}

/** Pixels of three floats as three planes. */
export function deinterleave(pixels: usize, size: i32, planes: usize): void {
  const plane = floats(planeLength(size));
  for (let i = 0; i < size; i++) {
    const at = pixels + floats(3 * i);
    const to = planes + floats(i);
    store<f32>(to, load<f32>(at));
    store<f32>(to + plane, load<f32>(at, 4));
    store<f32>(to + 2 * plane, load<f32>(at, 8));
  }
}

/** Reverses every row. */
export function flip(planes: usize, height: i32, width: i32): void {
  const plane = floats(planeLength(height * width));
  for (let c = 0; c < 3; c++) {
    for (let y = 0; y < height; y++) {
      let left = planes + <usize>c * plane + floats(y * width);
      let right = left + floats(width);
      for (; right - left >= 32; left += 16) {
        right -= 16;
        const first = v128.load(left);
        const last = v128.load(right);
        v128.store(left, f32x4.shuffle(last, last, 3, 2, 1, 0));
        v128.store(right, f32x4.shuffle(first, first, 3, 2, 1, 0));
      }
      for (; right - left >= 8; left += 4) {
        right -= 4;
        const first = load<f32>(left);
        store<f32>(left, load<f32>(right));
        store<f32>(right, first);
      }
    }
  }
}

/** x >= threshold ? 1 - x : x */
export function solarize(planes: usize, size: i32, threshold: f32): void {
  const limit = f32x4.splat(threshold);
  const one = f32x4.splat(1);
  const end = planes + floats(3 * planeLength(size));
  for (let at = planes; at < end; at += 16) {
    const x = v128.load(at);
    v128.store(at, v128.bitselect(f32x4.sub(one, x), x, f32x4.ge(x, limit)));
  }
}

/** (x - mean) / std, for one plane. */
export function normalizePlane(plane: usize, size: i32, mean: f32, std: f32): void {
  const means = f32x4.splat(mean);
  const stds = f32x4.splat(std);
  const end = plane + floats(planeLength(size));
  for (let at = plane; at < end; at += 16) {
    v128.store(at, f32x4.div(f32x4.sub(v128.load(at), means), stds));
  }
}

/** values = bytes / 255, NaN where the address is 0; whole words of bytes are read, and whole vectors written. */
export function unpack(bytes: usize, n: i32, values: usize): void {
  const end = values + floats(n);
  const full = f32x4.splat(255);
  if (!bytes) {
    for (; values < end; values += 16) v128.store(values, f32x4.splat(NaN));
    return;
  }
  for (; values < end; values += 16, bytes += 4) {
    const word = v128.load32_splat(bytes);
    const wide = i16x8.extend_low_i8x16_u(word);
    v128.store(values, f32x4.div(f32x4.convert_i32x4_u(i32x4.extend_low_i16x8_u(wide)), full));
  }
}
