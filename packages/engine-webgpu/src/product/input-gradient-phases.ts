import type { ConvolutionGeometry } from '@tfjs-ssl/ops';
import type { Gather } from './gather.ts';
import { loadFunction, type Operand, type Result, widthOf } from './product.ts';

/**
 * The gradient of a convolution's input as products, one per phase: pixels whose position modulo the stride is the same see the same
 * taps, and dOutput at neighbouring pixels.
 */
export interface InputGradientPhases {
  readonly phases: number;
  /** Defines `phaseY`, `phaseX`, `firstY`, `firstX`, `tapsY`, `tapsX` and `groupDepth` of a group, which is a phase. */
  readonly functions: string;
  /** Values of dOutput, one row per pixel of a phase. */
  readonly gather: Gather;
  /** Weights, one column per channel of the input. */
  readonly filter: Operand;
  readonly result: Result;
}

/** Splits the gradient of the input into phases. */
export function inputGradientPhases(g: ConvolutionGeometry): InputGradientPhases {
  const axis = (name: 'Y' | 'X', phase: string, padding: number, stride: number, taps: number) => `
fn phase${name}(group: i32) -> i32 { return ${phase}; }
fn first${name}(group: i32) -> i32 { return (phase${name}(group) + ${padding}) % ${stride}; }
fn taps${name}(group: i32) -> i32 { return max(0, (${taps + stride - 1} - first${name}(group)) / ${stride}); }
fn origin${name}(group: i32) -> i32 {
  return (phase${name}(group) + ${padding} - first${name}(group)) / ${stride} - (taps${name}(group) - 1);
}`;
  const gridHeight = Math.ceil(g.height / g.strideY);
  const gridWidth = Math.ceil(g.width / g.strideX);
  const taps = Math.ceil(g.filterHeight / g.strideY) * Math.ceil(g.filterWidth / g.strideX);
  return {
    phases: g.strideY * g.strideX,
    functions: `${axis('Y', `group / ${g.strideX}`, g.top, g.strideY, g.filterHeight)}
${axis('X', `group % ${g.strideX}`, g.left, g.strideX, g.filterWidth)}
fn groupDepth(group: i32) -> i32 { return tapsY(group) * tapsX(group) * ${g.outputChannels}; }`,
    gather: {
      images: g.images,
      height: g.outputHeight,
      width: g.outputWidth,
      channels: g.outputChannels,
      gridHeight,
      gridWidth,
      strideY: 1,
      strideX: 1,
      originY: 'originY(group)',
      originX: 'originX(group)',
      tapsX: g.strideX === 1 ? `${g.filterWidth}` : 'max(1, tapsX(group))',
      taps,
    },
    filter: {
      contiguous: 'depth',
      width: widthOf(g.outputChannels),
      functions: (name, memory, width) => `
fn ${name}Outer(index: i32, group: i32) -> vec3i {
  return vec3i(index * ${g.outputChannels}, select(-1, 0, index < ${g.channels}), 0);
}
fn ${name}Depth(index: i32, end: i32, group: i32) -> vec3i {
  let tap = u32(index) / ${g.outputChannels}u;
  let channel = i32(u32(index) % ${g.outputChannels}u);
  let taps = u32(${g.strideX === 1 ? g.filterWidth : 'max(1, tapsX(group))'});
  let y = firstY(group) + ${g.strideY} * (tapsY(group) - 1 - i32(tap / taps));
  let x = firstX(group) + ${g.strideX} * (tapsX(group) - 1 - i32(tap % taps));
  return vec3i((y * ${g.filterWidth} + x) * ${g.channels * g.outputChannels} + channel, select(-1, 0, index < end), 0);
}
${loadFunction(name, memory, width, { outside: '(outer.y | depth.y) < 0', at: 'outer.x + depth.x' })}`,
    },
    result: {
      size: g.images * g.height * g.width * g.channels,
      vector: g.channels % 4 === 0,
      linear: g.strideY * g.strideX === 1,
      functions: `
fn resultRow(row: i32, group: i32) -> i32 {
  let pixel = u32(row);
  let y = i32((pixel / ${gridWidth}u) % ${gridHeight}u) * ${g.strideY} + phaseY(group);
  let x = i32(pixel % ${gridWidth}u) * ${g.strideX} + phaseX(group);
  let image = i32(pixel / ${gridWidth * gridHeight}u);
  let start = ((image * ${g.height} + y) * ${g.width} + x) * ${g.channels};
  return select(-1, start, row < ${g.images * gridHeight * gridWidth} && y < ${g.height} && x < ${g.width});
}`,
    },
  };
}
