import type { Memory } from '../memory.ts';
import {
  enumerate,
  type Product,
  type ProductShader,
  productBuffers,
  productFunctions,
  type Schedule,
} from './product.ts';
import { lines, stage } from './staging.ts';
import { storeFunction } from './store.ts';
import { type ThreadLayout, threadLayout } from './tile-layout.ts';

/** The register tile of `multiply` as code: values of the operands at each of four depths. */
const component = (index: number): string => 'xyzw'[index % 4] as string;

/**
 * A product by fused multiply-adds: tiles of both operands in workgroup memory, a tile of the result in every thread's registers, the
 * next tiles on their way while this one is multiplied.
 *
 * @param schedule - arithmetic `float32` or `float16`: the type of the values in workgroup memory; sums are float32 in both.
 */
export function fmaProduct(product: Product, schedule: Schedule): ProductShader {
  const { tile, parts, arithmetic } = schedule;
  const element = arithmetic.kind === 'float32' ? 'vec4f' : 'vec4<f16>';
  const [threadsX, threadsY] = [tile.columns / tile.threadColumns, tile.rows / tile.threadRows];
  const threads = threadsX * threadsY;
  const shared = { depth: tile.depth, threads, element } as const;
  const [leftDepth, rightDepth] = [product.left.contiguous === 'depth', product.right.contiguous === 'depth'];
  const rows = threadLayout({
    alongDepth: leftDepth,
    neighbours: false,
    depth: tile.depth,
    own: tile.threadRows,
    threads: threadsY,
    thread: 'threadY',
  });
  const columns = threadLayout({
    alongDepth: rightDepth,
    neighbours: true,
    depth: tile.depth,
    own: tile.threadColumns,
    threads: threadsX,
    thread: 'threadX',
  });
  const left = stage(product.left, { ...shared, name: 'left', extent: tile.rows, layout: rows });
  const right = stage(product.right, { ...shared, name: 'right', extent: tile.columns, layout: columns });
  const quadRows = tile.threadRows / 4;
  const quadColumns = tile.threadColumns / 4;
  const work = enumerate(product, schedule);

  const leftAt = (row: number, k: number) =>
    leftDepth ? `a${row}.${component(k)}` : `a${k}_${row >> 2}.${component(row)}`;
  const rightAt = (quad: number, k: number) =>
    rightDepth ? `vec4f(${[0, 1, 2, 3].map((c) => `b${quad * 4 + c}.${component(k)}`).join(', ')})` : `b${k}_${quad}`;
  /** Loads of an operand that lies along the depth, for four depths at once. */
  const loads = (name: string, letter: string, layout: ThreadLayout, own: number) =>
    lines(own, (i) => `      let ${letter}${i} = vec4f(${name}Tile${layout.read(i)});`);
  /** Loads of one that does not, for depth k of four. */
  const loadsAt = (name: string, letter: string, layout: ThreadLayout, quads: number, k: number) =>
    lines(quads, (i) => `      let ${letter}${k}_${i} = vec4f(${name}Tile${layout.read(i, k)});`);
  const multiply = (k: number) => `
${leftDepth ? '' : loadsAt('left', 'a', rows, quadRows, k)}
${rightDepth ? '' : loadsAt('right', 'b', columns, quadColumns, k)}
${lines(tile.threadRows, (row) =>
  lines(quadColumns, (j) => `      sum${row}_${j} = fma(vec4f(${leftAt(row, k)}), ${rightAt(j, k)}, sum${row}_${j});`),
)}`;

  const code = (memory: Memory) => `
var<workgroup> leftTile: ${rows.type(element)};
var<workgroup> rightTile: ${columns.type(element)};
${productFunctions(product, memory, 4)}
${storeFunction(product, parts, memory)}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
${work.code}
  // neighbours of a subgroup read the same element of one operand or the other, which workgroup memory serves at once
  let pair = i32(thread) % 32;
  let threadX = (pair / 2) % 8 + i32(thread) / 32 % ${threadsX / 8} * 8;
  let threadY = pair % 2 + pair / 16 * 2 + i32(thread) / ${threadsX * 4} * 4;
${left.setup}
${right.setup}
${lines(tile.threadRows, (row) => lines(quadColumns, (j) => `  var sum${row}_${j} = vec4f();`))}
${left.fetch('begin', true)}
${right.fetch('begin', true)}
  for (var step = 0; step < steps; step++) {
${left.put}
${right.put}
    workgroupBarrier();
    let next = begin + (step + 1) * ${tile.depth};
${left.fetch('next', false)}
${right.fetch('next', false)}
    for (var quad = 0; quad < ${tile.depth / 4}; quad++) {
${leftDepth ? loads('left', 'a', rows, tile.threadRows) : ''}
${rightDepth ? loads('right', 'b', columns, tile.threadColumns) : ''}
${lines(4, multiply)}
    }
    workgroupBarrier();
  }
${lines(tile.threadRows, (row) => {
  return `  { let start = resultRow(firstRow + ${rows.owned(row)}, group);
${lines(quadColumns, (j) => `    store(start, firstColumn + ${columns.owned(j * 4)}, part, sum${row}_${j});`)} }`;
})}
}`;
  return {
    key: `${product.key} ${JSON.stringify(schedule)}`,
    enable: element === 'vec4<f16>' ? ['f16'] : [],
    buffers: productBuffers(product, schedule, { most: 4 }),
    code,
    workgroups: work.workgroups,
  };
}
