import type { Operand } from './product.ts';
import type { TileLayout } from './tile-layout.ts';

/** WGSL lines that bring an operand into workgroup memory, a step at a time. */
export interface Staging {
  /** Declares the workgroup's memory. */
  readonly declaration: string;
  /** Once, before the sum: what each thread loads. */
  readonly setup: string;
  /** Loads the values at depths from `from` on into registers. */
  fetch(from: string, first: boolean): string;
  /** Writes the fetched values to workgroup memory. */
  readonly put: string;
}

/** Lines of the given text for 0 to count - 1. */
export function lines(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => line(index)).join('\n');
}

/** What decides how an operand is staged. */
export interface StagingOptions {
  readonly name: 'left' | 'right';
  /** Rows or columns of the tile. */
  readonly extent: number;
  /** Depths of the tile. */
  readonly depth: number;
  readonly threads: number;
  readonly element: 'f32' | 'f16';
  readonly layout: TileLayout;
  /** Its variable in workgroup memory. Default: `NAMETile`. */
  readonly tile?: string;
}

/**
 * Stages an operand as lines of its contiguous axis: [extent][depth / 4] or [depth][extent / 4] elements of four values.
 *
 * @throws RangeError where the threads do not divide the tile.
 */
export function stage(operand: Operand, options: StagingOptions): Staging {
  const { name, extent, depth, threads, element, layout, tile = `${name}Tile` } = options;
  const alongDepth = operand.contiguous === 'depth';
  const [count, length] = alongDepth ? [extent, depth / 4] : [depth, extent / 4];
  const step = threads / length;
  const passes = count / step;
  if (!Number.isInteger(step) || !Number.isInteger(passes)) {
    throw new RangeError(
      `stage: ${threads} threads must divide the ${name} tile of ${extent} by depth ${depth} into whole lines. Choose another tile.`,
    );
  }
  const type = element === 'f32' ? 'vec4f' : 'vec4<f16>';
  const first = name === 'left' ? 'firstRow' : 'firstColumn';
  const wide = operand.vector ? 1 : 4;
  const value = (outer: (i: number) => string, at: (i: number) => string) => {
    const load = (i: number) => `${name}Load(${outer(i)}, ${at(i)})`;
    const loaded = wide === 1 ? load(0) : `vec4f(${[0, 1, 2, 3].map(load).join(', ')})`;
    return element === 'f32' ? loaded : `vec4<f16>(${loaded})`;
  };
  const line = (pass: number) => (pass === 0 ? `${name}Line` : `${name}Line + ${step * pass}`);
  return {
    declaration: `var<workgroup> ${tile}: ${layout.type(type)};`,
    setup: `
  let ${name}Quad = i32(thread) % ${length};
  let ${name}Line = i32(thread) / ${length};
${
  alongDepth
    ? lines(passes, (p) => `  let ${name}Outer${p} = ${name}Outer(${first} + ${layout.outer(line(p))}, group);`)
    : lines(wide, (i) => `  let ${name}Outer${i} = ${name}Outer(${first} + ${name}Quad * 4 + ${i}, group);`)
}`,
    fetch: (from, isFirst) => `
${
  alongDepth
    ? `${lines(wide, (i) => `    let ${name}Depth${i} = ${name}Depth(${from} + ${name}Quad * 4 + ${i}, end, group);`)}
${lines(
  passes,
  (p) =>
    `    ${isFirst ? 'var ' : ''}${name}Value${p} = ${value(
      () => `${name}Outer${p}`,
      (i) => `${name}Depth${i}`,
    )};`,
)}`
    : lines(
        passes,
        (p) => `    let ${name}Depth${p} = ${name}Depth(${from} + ${line(p)}, end, group);
    ${isFirst ? 'var ' : ''}${name}Value${p} = ${value(
      (i) => `${name}Outer${i}`,
      () => `${name}Depth${p}`,
    )};`,
      )
}`,
    put: lines(passes, (p) => `    ${tile}${layout.at(line(p), `${name}Quad`)} = ${name}Value${p};`),
  };
}
