import type { Binding } from '../dispatch.ts';
import type { Memory, Value } from '../memory.ts';
import type { Work } from '../work.ts';

/**
 * One operand of a product as WGSL functions; the depth is the axis that is summed over, the outer one the other (rows of the first
 * operand, columns of the second).
 *
 * `functions(name)` defines, for the buffer `name` (`left` or `right`),
 *
 *     fn nameOuter(index: i32, group: i32) -> vec3i           what is known of a row or column
 *     fn nameDepth(index: i32, end: i32, group: i32) -> vec3i what is known of a depth; those from `end` on read zeros
 *     fn nameLoad(outer: vec3i, depth: vec3i) -> T            so many values there as the width says
 *
 * T is f32 for one value; vec4f, or vec4<f16> where they lie so, for four; vec4u for eight, which are packed as float16.
 *
 * They are apart because a thread keeps its rows through the whole sum and its depth through all of its rows.
 */
export interface Operand {
  /** Axis along which neighbours lie side by side in memory. */
  readonly contiguous: 'outer' | 'depth';
  /** So many neighbours begin at a multiple of their number, and are read at once. */
  readonly width: Width;
  /** @param width - values that are read at once, at most {@link Operand.width}. */
  functions(name: string, memory: Memory, width: Width): string;
}

/** Values that are read at once. */
export type Width = 1 | 4 | 8;

/** The largest width that divides all of the given lengths. */
export function widthOf(...lengths: readonly number[]): Width {
  return ([8, 4] as const).find((width) => lengths.every((length) => length % width === 0)) ?? 1;
}

/** Values of an operand that are read at once by a kernel that takes them so by so many. */
export function widthFor(operand: Operand, most: 4 | 8): Width {
  return Math.min(operand.width, most) as Width;
}

/** Where a product is written. */
export interface Result {
  /** Number of values. */
  readonly size: number;
  /** Whether four neighbouring columns are written as one `vec4f`. */
  readonly vector: boolean;
  /** Whether value [row, column] of group g lies at (g rows + row) columns + column, without gaps. */
  readonly linear: boolean;
  /** Defines `fn resultRow(row: i32, group: i32) -> i32`: where a row begins, negative where it is not stored. */
  readonly functions: string;
}

/** result[row, column] = sum over depth of left[row, depth] right[depth, column], for each of several groups. */
export interface Product {
  /** Names everything that is baked into the kernel but tile, parts and arithmetic. */
  readonly key: string;
  readonly rows: number;
  readonly columns: number;
  /** Longest sum of all groups. */
  readonly depth: number;
  readonly groups: number;
  /** Multiply-adds that the product needs; default: rows x columns x depth x groups. */
  readonly multiplyAdds?: number;
  readonly left: Operand;
  readonly right: Operand;
  readonly result: Result;
  /** Defines `fn groupDepth(group: i32) -> i32` where groups differ in depth, and what the operands share. */
  readonly functions?: string;
  /** What is done to a value before it is stored; a product with bias or rectifier is not split. */
  readonly epilogue?: Epilogue;
}

/** result = activation(sum + bias[column] + addend[row, column]). */
export interface Epilogue {
  readonly bias: boolean;
  readonly relu: boolean;
  /** A tensor of the result's shape. Default: none. */
  readonly addend?: boolean;
}

/** Numbers of a tile and how its threads share it. */
export interface Tile {
  /** Extent of a workgroup's part of the result. */
  readonly rows: number;
  readonly columns: number;
  /** Depths that are staged in workgroup memory at a time. */
  readonly depth: number;
  /** Extent of a thread's part (fused multiply-add), multiples of 4; or of a subgroup's (matrix units), multiples of the device's matrices. */
  readonly threadRows: number;
  readonly threadColumns: number;
}

/** How a product is computed. */
export interface Schedule {
  readonly tile: Tile;
  /** Parts into which the depth is split, each written by itself and summed afterwards; 1 writes the result. */
  readonly parts: number;
  /** How operands are multiplied; all of them add in float32. */
  readonly arithmetic: Arithmetic;
}

/**
 * `float32`; `float16`: operands rounded to float16, products of float32; `matrix`: operands rounded to float16, on the matrix units of
 * subgroups.
 */
export type Arithmetic =
  | { readonly kind: 'float32' }
  | { readonly kind: 'float16' }
  | ({ readonly kind: 'matrix' } & MatrixUnit);

/** A configuration of subgroup matrices: left [rows, depth] x right [depth, columns] in float16, sums in float32. */
export interface MatrixUnit {
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  /** Invocations of a subgroup. */
  readonly subgroup: number;
}

/** A compute shader, without the declarations of its buffers, and how many workgroups it takes. */
export interface ProductShader {
  /** Equal for equal code. */
  readonly key: string;
  /** WGSL extensions. */
  readonly enable: readonly string[];
  /** Buffers in the order of their bindings; the one named `result` is written. */
  readonly buffers: ReadonlyArray<Pick<Binding, 'name' | 'type' | 'value'>>;
  readonly code: (memory: Memory) => string;
  readonly workgroups: readonly [x: number, y: number];
  readonly work?: Work;
}

/** Workgroups in one direction that every device can start. */
const DIRECTION = 65535;

/** How a shader finds its part of the work: one number for all, as a direction of a dispatch may be too short. */
export function enumerate(
  product: Product,
  { tile, parts }: Schedule,
): { workgroups: [x: number, y: number]; code: string } {
  const columnTiles = Math.ceil(product.columns / tile.columns);
  const rowTiles = Math.ceil(product.rows / tile.rows);
  const total = columnTiles * rowTiles * parts * product.groups;
  const y = Math.ceil(total / DIRECTION);
  const x = Math.ceil(total / y);
  return {
    workgroups: [x, y],
    code: `
  let task = workgroup.x + workgroup.y * ${x}u;${x * y > total ? `\n  if (task >= ${total}u) { return; }` : ''}
  let firstColumn = i32(task % ${columnTiles}u) * ${tile.columns};
  let firstRow = i32((task / ${columnTiles}u) % ${rowTiles}u) * ${tile.rows};
  let slice = i32(task / ${columnTiles * rowTiles}u);
  let part = slice % ${parts};
  let group = slice / ${parts};
  let depth = ${product.functions?.includes('fn groupDepth') ? 'groupDepth(group)' : product.depth};
  let partDepth = (depth + ${parts * tile.depth - 1}) / ${parts * tile.depth} * ${tile.depth};
  let begin = min(part * partDepth, depth);
  let end = min(begin + partDepth, depth);
  let steps = (end - begin + ${tile.depth - 1}) / ${tile.depth};`,
  };
}

/**
 * Buffers of a product.
 *
 * @param options.most - values of an operand that the kernel reads at once, where they lie so.
 * @param options.direct - whether results go to memory as matrices, which takes float32 there. Default: false.
 */
export function productBuffers(
  { left, right, result, epilogue }: Product,
  { parts, arithmetic }: Schedule,
  { most, direct = false }: { most: 4 | 8; direct?: boolean },
): ProductShader['buffers'] {
  const value = (vector: boolean): Value => (vector ? 'vec4f' : 'f32');
  const whole = parts === 1;
  // what is multiplied as float32 is read as such
  const operand = (name: string, side: Operand) => {
    const width = widthFor(side, most);
    if (arithmetic.kind === 'float32') return { name, type: `array<${value(width > 1)}>` };
    return { name, value: width === 8 ? ('eight' as const) : value(width > 1) };
  };
  const written = (name: string) =>
    direct || !whole
      ? { name, type: `array<${value(result.vector && !direct)}>` }
      : { name, value: value(result.vector) };
  return [
    operand('left', left),
    operand('right', right),
    written('result'),
    ...(epilogue?.bias && whole ? [{ name: 'bias' }] : []),
    ...(epilogue?.addend && whole ? [written('addend')] : []),
  ];
}

/** WGSL of all functions that a product brings along, for a kernel that reads its operands by so many values. */
export function productFunctions(product: Product, memory: Memory, most: 4 | 8): string {
  const { left, right, result, functions = '' } = product;
  return [
    functions,
    left.functions('left', memory, widthFor(left, most)),
    right.functions('right', memory, widthFor(right, most)),
    result.functions,
  ].join('\n');
}

/** What a function that reads an operand is made of: WGSL expressions. */
export interface LoadFunction {
  /** Where the values begin. */
  readonly at: string;
  /** Whether there are zeros instead. */
  readonly outside: string;
  /** Statements before. Default: none. */
  readonly before?: string;
}

/** WGSL function that reads so many values of an operand. */
export function loadFunction(name: string, memory: Memory, width: Width, load: LoadFunction): string {
  const { at, outside, before = '' } = load;
  const half = memory.halves.includes(name);
  const type = { 1: 'f32', 4: memory.type(name, 'vec4f'), 8: 'vec4u' }[width];
  const start = `u32(${at})`;
  const wide = {
    1: `return ${memory.load(name, start)};`,
    4: `return ${name}[${start} / 4u];`,
    8: half
      ? `return ${name}[${start} / 8u];`
      : `let i = ${start} / 4u;\n  return ${packed(`${name}[i]`, `${name}[i + 1]`)};`,
  }[width];
  return `fn ${name}Load(outer: vec3i, depth: vec3i) -> ${type} {${before}
  if (${outside}) { return ${type}(); }
  ${wide}
}`;
}

/** WGSL expression that packs two times four values as float16 into a vec4u. */
export function packed(first: string, second: string): string {
  return `vec4u(bitcast<vec2u>(vec4<f16>(${first})), bitcast<vec2u>(vec4<f16>(${second})))`;
}
