import type { Memory } from '../memory.ts';
import {
  type Arithmetic,
  enumerate,
  type Operand,
  type Product,
  type ProductShader,
  productBuffers,
  productFunctions,
  type Schedule,
} from './product.ts';
import { lines, stage } from './staging.ts';
import { storeFunction } from './store.ts';
import { lineLayout } from './tile-layout.ts';

/** Elements of eight values added to each line of a tile in workgroup memory. */
const PADDING = 1;

/**
 * A product on the matrix units: tiles of both operands in workgroup memory, rounded to float16, a tile of the result in the matrices of
 * every subgroup, in float32, the next tiles on their way while these are multiplied.
 *
 * @param schedule - arithmetic `matrix`; the tile's `threadRows` and `threadColumns` are those of a subgroup.
 * @param halfResult - whether the result lies as float16.
 */
export function matrixProduct(
  product: Product,
  schedule: Schedule & { arithmetic: Extract<Arithmetic, { kind: 'matrix' }> },
  halfResult: boolean,
): ProductShader {
  const { tile, parts, arithmetic: unit } = schedule;
  const subgroupsX = tile.columns / tile.threadColumns;
  const subgroups = subgroupsX * (tile.rows / tile.threadRows);
  const threads = subgroups * unit.subgroup;
  const layout = ({ contiguous }: Operand, extent: number, from: number) =>
    contiguous === 'depth'
      ? lineLayout(extent, tile.depth / 8, PADDING, from)
      : lineLayout(tile.depth, extent / 8, PADDING, from);
  const leftLayout = layout(product.left, tile.rows, 0);
  const rightLayout = layout(product.right, tile.columns, leftLayout.end);
  const shared = { depth: tile.depth, threads, element: 'vec4u', tile: 'tiles' } as const;
  const left = stage(product.left, { ...shared, name: 'left', extent: tile.rows, layout: leftLayout });
  const right = stage(product.right, { ...shared, name: 'right', extent: tile.columns, layout: rightLayout });
  const [countY, countX] = [tile.threadRows / unit.rows, tile.threadColumns / unit.columns];
  const work = enumerate(product, schedule);
  // Whole tiles of float32 go straight to memory; others through workgroup memory, where they are cut to size and rounded.
  const { result, epilogue } = product;
  const direct =
    result.linear &&
    product.rows % tile.rows === 0 &&
    product.columns % tile.columns === 0 &&
    !epilogue?.bias &&
    !epilogue?.relu &&
    !(halfResult && parts === 1);

  const load = (name: 'left' | 'right', index: number) => {
    const [operand, extent, { from, line }, own] =
      name === 'left'
        ? [product.left, unit.rows, leftLayout, `rowInTile + ${index * unit.rows}`]
        : [product.right, unit.columns, rightLayout, `columnInTile + ${index * unit.columns}`];
    const alongDepth = operand.contiguous === 'depth';
    const at = alongDepth
      ? `${from}u + u32(${own}) * ${line}u + slice * ${unit.depth / 8}u`
      : `${from}u + slice * ${unit.depth * line}u + u32(${own}) / 8u`;
    const order = alongDepth === (name === 'left') ? 'row_major' : 'col_major';
    const [x, y] = name === 'left' ? [unit.depth, extent] : [extent, unit.depth];
    return `subgroupMatrixLoad<subgroup_matrix_${name}<f16, ${x}, ${y}>, ${order}>(&tiles, ${at}, ${line}u)`;
  };
  const multiply = `    for (var slice = 0u; slice < ${tile.depth / unit.depth}u; slice++) {
${lines(countX, (j) => `      let b${j} = ${load('right', j)};`)}
${lines(
  countY,
  (i) => `      { let a = ${load('left', i)};
${lines(countX, (j) => `        sum${i}_${j} = subgroupMatrixMultiplyAccumulate(a, b${j}, sum${i}_${j});`)} }`,
)}
    }`;
  const sums = (line: (i: number, j: number) => string) => lines(countY, (i) => lines(countX, (j) => line(i, j)));
  const place = (i: number, j: number) =>
    `u32(part * ${result.size} + (group * ${product.rows} + firstRow + rowInTile + ${i * unit.rows}) * ${
      product.columns
    } + firstColumn + columnInTile + ${j * unit.columns})`;
  const storeDirect = (i: number, j: number) =>
    `  subgroupMatrixStore<row_major>(&result, ${place(i, j)}, sum${i}_${j}, ${product.columns}u);`;
  // sums begin with what is to be added, where they go straight to memory
  const begin = (i: number, j: number) => {
    const type = `subgroup_matrix_result<f32, ${unit.columns}, ${unit.rows}>`;
    return direct && epilogue?.addend && parts === 1
      ? `  var sum${i}_${j} = subgroupMatrixLoad<${type}, row_major>(&addend, ${place(i, j)}, ${product.columns}u);`
      : `  var sum${i}_${j}: ${type};`;
  };
  // A subgroup lays a row of its matrices, in float32, into a part of the tiles' memory of its own, and writes whole lines from there.
  const quads = tile.threadColumns / 4;
  const cutLine = quads + 1;
  const cut = unit.rows * cutLine;
  const storeCut = (i: number) => `
${lines(countX, (j) => `  subgroupMatrixStore<row_major>(&tiles, subgroup * ${cut}u + ${(j * unit.columns) / 4}u, sum${i}_${j}, ${cutLine}u);`)}
  workgroupBarrier();
  for (var quad = i32(lane); quad < ${unit.rows * quads}; quad += ${unit.subgroup}) {
    let row = quad / ${quads};
    let column = quad % ${quads};
    let at = i32(subgroup) * ${cut} + row * ${cutLine} + column;
    store(resultRow(firstRow + rowInTile + ${i * unit.rows} + row, group), firstColumn + columnInTile + column * 4, part,
      bitcast<vec4f>(tiles[at]));
  }${i + 1 < countY ? '\n  workgroupBarrier();' : ''}`;
  const tiles = Math.max(rightLayout.end, direct ? 0 : subgroups * cut);

  return {
    key: `${product.key} ${JSON.stringify(schedule)}`,
    enable: ['f16', 'subgroups', 'chromium_experimental_subgroup_matrix'],
    buffers: productBuffers(product, schedule, { most: 8, direct }),
    workgroups: work.workgroups,
    code: (memory: Memory) => `
var<workgroup> tiles: array<vec4u, ${tiles}>;
${productFunctions(product, memory, 8)}
${direct ? '' : storeFunction(product, parts, memory)}
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
${work.code}
  let rowInTile = i32(subgroup) / ${subgroupsX} * ${tile.threadRows};
  let columnInTile = i32(subgroup) % ${subgroupsX} * ${tile.threadColumns};
${left.setup}
${right.setup}
${sums(begin)}
${left.fetch('begin', true)}
${right.fetch('begin', true)}
  for (var step = 0; step < steps; step++) {
${left.put}
${right.put}
    workgroupBarrier();
    let next = begin + (step + 1) * ${tile.depth};
${left.fetch('next', false)}
${right.fetch('next', false)}
${multiply}
    workgroupBarrier();
  }
${direct ? sums(storeDirect) : lines(countY, storeCut)}
}`,
  };
}
