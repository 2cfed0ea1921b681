import { argumentError } from '@tfjs-ssl/checks';
import { type Operand, packed, widthFor } from './product.ts';
import type { TileLayout } from './tile-layout.ts';

/** WGSL lines that bring an operand into workgroup memory, a step at a time. */
export interface Staging {
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
  /** Of the tile: four values of float32 or float16, or eight of float16. */
  readonly element: 'vec4f' | 'vec4<f16>' | 'vec4u';
  readonly layout: TileLayout;
  /** Its variable in workgroup memory. Default: `NAMETile`. */
  readonly tile?: string;
}

/**
 * Stages an operand as lines of its contiguous axis: [extent][depth / n] or [depth][extent / n] elements of n values.
 *
 * @throws RangeError if the threads do not divide the tile.
 */
export function stage(operand: Operand, options: StagingOptions): Staging {
  const { name, extent, depth, threads, element, layout, tile = `${name}Tile` } = options;
  const alongDepth = operand.contiguous === 'depth';
  const values = element === 'vec4u' ? 8 : 4;
  const [count, length] = alongDepth ? [extent, depth / values] : [depth, extent / values];
  const step = threads / length;
  const passes = count / step;
  if (!Number.isInteger(step) || !Number.isInteger(passes)) {
    throw argumentError({
      fn: 'stage',
      argument: 'threads',
      required: `divide the ${name} tile of ${extent} by depth ${depth} into complete lines`,
      got: threads,
      advice: 'Choose another tile.',
    });
  }
  const first = name === 'left' ? 'firstRow' : 'firstColumn';
  const width = widthFor(operand, values);
  const loads = values / width;
  const elementAt = (outer: (i: number) => string, at: (i: number) => string) => {
    const load = (i: number) => `${name}Load(${outer(i)}, ${at(i)})`;
    if (width === 8) return load(0);
    const four = (i: number) =>
      width === 4 ? load(i) : `vec4f(${[0, 1, 2, 3].map((j) => load(4 * i + j)).join(', ')})`;
    if (values === 8) return packed(four(0), four(1));
    return element === 'vec4f' ? four(0) : `vec4<f16>(${four(0)})`;
  };
  const line = (pass: number) => (pass === 0 ? `${name}Line` : `${name}Line + ${step * pass}`);
  return {
    setup: `
  let ${name}Place = i32(thread) % ${length};
  let ${name}Line = i32(thread) / ${length};
${
  alongDepth
    ? lines(passes, (p) => `  let ${name}Outer${p} = ${name}Outer(${first} + ${layout.outer(line(p))}, group);`)
    : lines(
        loads,
        (i) => `  let ${name}Outer${i} = ${name}Outer(${first} + ${name}Place * ${values} + ${i * width}, group);`,
      )
}`,
    fetch: (from, isFirst) => `
${
  alongDepth
    ? `${lines(loads, (i) => `    let ${name}Depth${i} = ${name}Depth(${from} + ${name}Place * ${values} + ${i * width}, end, group);`)}
${lines(
  passes,
  (p) =>
    `    ${isFirst ? 'var ' : ''}${name}Value${p} = ${elementAt(
      () => `${name}Outer${p}`,
      (i) => `${name}Depth${i}`,
    )};`,
)}`
    : lines(
        passes,
        (p) => `    let ${name}Depth${p} = ${name}Depth(${from} + ${line(p)}, end, group);
    ${isFirst ? 'var ' : ''}${name}Value${p} = ${elementAt(
      (i) => `${name}Outer${i}`,
      () => `${name}Depth${p}`,
    )};`,
      )
}`,
    put: lines(passes, (p) => `    ${tile}${layout.at(line(p), `${name}Place`)} = ${name}Value${p};`),
  };
}
