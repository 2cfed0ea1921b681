import { loadFunction, type Operand, widthOf } from './product.ts';

/**
 * Values of images as a matrix [pixels of a grid, taps and channels]: grid pixel (n, y, x) sees at tap (i, j) the image's pixel
 * (y strideY + originY + i, x strideX + originX + j), and zeros beyond the border.
 */
export interface Gather {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly images: number;
  readonly gridHeight: number;
  readonly gridWidth: number;
  readonly strideY: number;
  readonly strideX: number;
  /** WGSL expressions, of `group` where groups differ. */
  readonly originY: string;
  readonly originX: string;
  /** WGSL expression of the number of taps in a line. */
  readonly tapsX: string;
  /** Taps in all of the group that has most. */
  readonly taps: number;
}

/** A position that is out of every image, however often two of them are added. */
const NOWHERE = -0x20000000;

/**
 * The values that a convolution sees as an operand.
 *
 * @param outer - `'pixels'`: one row per grid pixel, the depth is (tap, channel); `'taps'`: the transpose.
 */
export function gatherOperand(g: Gather, outer: 'pixels' | 'taps'): Operand {
  const pixels = g.images * g.gridHeight * g.gridWidth;
  const depth = g.taps * g.channels;
  return {
    contiguous: outer === 'pixels' ? 'depth' : 'outer',
    width: widthOf(g.channels),
    functions: (name, memory, width) => `
fn ${name}Pixel(index: i32, end: i32, group: i32) -> vec3i {
  let pixel = u32(index);
  let x = i32(pixel % ${g.gridWidth}u) * ${g.strideX} + (${g.originX});
  let y = i32((pixel / ${g.gridWidth}u) % ${g.gridHeight}u) * ${g.strideY} + (${g.originY});
  let image = i32(pixel / ${g.gridWidth * g.gridHeight}u);
  let start = ((image * ${g.height} + y) * ${g.width} + x) * ${g.channels};
  return vec3i(start, select(${NOWHERE}, y, index < end), x);
}
fn ${name}Tap(index: i32, end: i32, group: i32) -> vec3i {
  let tap = u32(index) / ${g.channels}u;
  let channel = i32(u32(index) % ${g.channels}u);
  let tapsX = u32(${g.tapsX});
  let i = i32(tap / tapsX);
  let j = i32(tap % tapsX);
  return vec3i((i * ${g.width} + j) * ${g.channels} + channel, select(${NOWHERE}, i, index < end), j);
}
fn ${name}Outer(index: i32, group: i32) -> vec3i {
  return ${outer === 'pixels' ? `${name}Pixel(index, ${pixels}, group)` : `${name}Tap(index, ${depth}, group)`};
}
fn ${name}Depth(index: i32, end: i32, group: i32) -> vec3i {
  return ${outer === 'pixels' ? `${name}Tap(index, end, group)` : `${name}Pixel(index, end, group)`};
}
${loadFunction(name, memory, width, {
  before: '\n  let at = outer + depth;',
  outside: `u32(at.y) >= ${g.height}u || u32(at.z) >= ${g.width}u`,
  at: 'at.x',
})}`,
  };
}
