// Brightness, contrast, saturation, hue and gray of an image in three planes. NaN passes through all of them.
import { planeLength } from './augment-planes';
import { sumLanes } from './math';
import { floats } from './words';

/** x into [0, 1]. */
// @ts-expect-error: a decorator of the compiler
@inline
function clamp(x: v128): v128 {
  return f32x4.pmin(f32x4.pmax(x, f32x4.splat(0)), f32x4.splat(1));
}

// @ts-expect-error: a decorator of the compiler
@inline
function gray(r: v128, g: v128, b: v128): v128 {
  const red = f32x4.mul(r, f32x4.splat(0.2989));
  return f32x4.add(f32x4.add(red, f32x4.mul(g, f32x4.splat(0.587))), f32x4.mul(b, f32x4.splat(0.114)));
}

/** Brightness: clamp(factor x) */
export function scaleAndClamp(planes: usize, size: i32, factor: f32): void {
  const factors = f32x4.splat(factor);
  const end = planes + floats(3 * planeLength(size));
  for (let at = planes; at < end; at += 16) v128.store(at, clamp(f32x4.mul(v128.load(at), factors)));
}

/** clamp(factor x + (1 - factor) mean(gray(x))) */
export function adjustContrast(planes: usize, size: i32, factor: f32): void {
  const factors = f32x4.splat(factor);
  const offset = f32x4.splat((1 - factor) * meanGray(planes, size));
  const end = planes + floats(3 * planeLength(size));
  for (let at = planes; at < end; at += 16) {
    v128.store(at, clamp(f32x4.add(f32x4.mul(v128.load(at), factors), offset)));
  }
}

/** Mean brightness of the pixels: 256 at a time in float32, their sums in float64. */
function meanGray(planes: usize, size: i32): f32 {
  const plane = floats(planeLength(size));
  const whole = size & ~3;
  let total: f64 = 0;
  for (let block = 0; block < whole; block += 256) {
    let sums = f32x4.splat(0);
    const end = planes + floats(min(block + 256, whole));
    for (let at = planes + floats(block); at < end; at += 16) {
      sums = f32x4.add(sums, gray(v128.load(at), v128.load(at + plane), v128.load(at + 2 * plane)));
    }
    total += <f64>sumLanes(sums);
  }
  for (let i = whole; i < size; i++) {
    const at = planes + floats(i);
    total += 0.2989 * <f64>load<f32>(at) + 0.587 * <f64>load<f32>(at + plane) + 0.114 * <f64>load<f32>(at + 2 * plane);
  }
  return <f32>(total / <f64>size);
}

/** clamp(factor x + (1 - factor) gray(x)) */
export function adjustSaturation(planes: usize, size: i32, factor: f32): void {
  const factors = f32x4.splat(factor);
  const rest = f32x4.splat(1 - factor);
  const plane = floats(planeLength(size));
  const end = planes + plane;
  for (let at = planes; at < end; at += 16) {
    const r = v128.load(at);
    const g = v128.load(at + plane);
    const b = v128.load(at + 2 * plane);
    const pivot = f32x4.mul(gray(r, g, b), rest);
    v128.store(at, clamp(f32x4.add(f32x4.mul(r, factors), pivot)));
    v128.store(at + plane, clamp(f32x4.add(f32x4.mul(g, factors), pivot)));
    v128.store(at + 2 * plane, clamp(f32x4.add(f32x4.mul(b, factors), pivot)));
  }
}

/** Three equal planes of 0.2989 R + 0.587 G + 0.114 B. */
export function toGray(planes: usize, size: i32): void {
  const plane = floats(planeLength(size));
  const end = planes + plane;
  for (let at = planes; at < end; at += 16) {
    const value = gray(v128.load(at), v128.load(at + plane), v128.load(at + 2 * plane));
    v128.store(at, value);
    v128.store(at + plane, value);
    v128.store(at + 2 * plane, value);
  }
}

/** One channel of HSV -> RGB: value - chroma clamp(min(k, 4 - k)), k = (sextant + offset) mod 6. */
// @ts-expect-error: a decorator of the compiler
@inline
function hueChannel(value: v128, chroma: v128, sextant: v128, offset: f32): v128 {
  const shifted = f32x4.add(sextant, f32x4.splat(offset));
  const turns = f32x4.floor(f32x4.mul(shifted, f32x4.splat(1.0 / 6.0)));
  // Rounding may make k a little less than 0 for a little less than 6: both give 0 below.
  const k = f32x4.sub(shifted, f32x4.mul(turns, f32x4.splat(6)));
  return f32x4.sub(value, f32x4.mul(chroma, clamp(f32x4.pmin(k, f32x4.sub(f32x4.splat(4), k)))));
}

/** RGB -> HSV, hue + shift turns, HSV -> RGB; red decides before green before blue where two are largest. */
export function adjustHue(planes: usize, size: i32, shift: f32): void {
  const plane = floats(planeLength(size));
  const end = planes + plane;
  const shiftSextants = f32x4.splat(6 * shift);
  for (let at = planes; at < end; at += 16) {
    const r = v128.load(at);
    const g = v128.load(at + plane);
    const b = v128.load(at + 2 * plane);
    const value = f32x4.pmax(f32x4.pmax(r, g), b);
    const chroma = f32x4.sub(value, f32x4.pmin(f32x4.pmin(r, g), b));
    const isRed = f32x4.eq(value, r);
    const isGreen = f32x4.eq(value, g);
    const difference = v128.bitselect(
      f32x4.sub(g, b),
      v128.bitselect(f32x4.sub(b, r), f32x4.sub(r, g), isGreen),
      isRed,
    );
    const base = v128.bitselect(f32x4.splat(0), v128.bitselect(f32x4.splat(2), f32x4.splat(4), isGreen), isRed);
    // On gray pixels the difference is 0, whatever it is divided by.
    const slope = f32x4.div(difference, f32x4.pmax(chroma, f32x4.splat(1e-30)));
    const sextant = f32x4.add(f32x4.add(base, slope), shiftSextants);
    v128.store(at, hueChannel(value, chroma, sextant, 5));
    v128.store(at + plane, hueChannel(value, chroma, sextant, 3));
    v128.store(at + 2 * plane, hueChannel(value, chroma, sextant, 1));
  }
}
