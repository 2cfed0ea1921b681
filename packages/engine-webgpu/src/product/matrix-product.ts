import {
  enumerate,
  type MatrixUnit,
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

/** Elements of four values added to each line of a tile in workgroup memory: sixteen bytes. */
const PADDING = 2;

/**
 * A product on the matrix units: tiles of both operands in workgroup memory, rounded to float16, a tile of the result in the matrices of
 * every subgroup, in float32, the next tiles on their way while these are multiplied.
 *
 * @param schedule - arithmetic `matrix`; the tile's `threadRows` and `threadColumns` are those of a subgroup.
 */
export function matrixProduct(product: Product, schedule: Schedule & { arithmetic: MatrixUnit }): ProductShader {
  const { tile, parts, arithmetic: unit } = schedule;
  const subgroupsX = tile.columns / tile.threadColumns;
  const subgroups = subgroupsX * (tile.rows / tile.threadRows);
  const threads = subgroups * unit.subgroup;
  const shared = { depth: tile.depth, threads, element: 'f16' } as const;
  const layout = ({ contiguous }: Operand, extent: number) =>
    contiguous === 'depth' ? lineLayout(extent, tile.depth / 4, PADDING) : lineLayout(tile.depth, extent / 4, PADDING);
  const [leftLayout, rightLayout] = [layout(product.left, tile.rows), layout(product.right, tile.columns)];
  const left = stage(product.left, { ...shared, name: 'left', extent: tile.rows, layout: leftLayout });
  const right = stage(product.right, { ...shared, name: 'right', extent: tile.columns, layout: rightLayout });
  const [countY, countX] = [tile.threadRows / unit.rows, tile.threadColumns / unit.columns];
  const work = enumerate(product, schedule);
  // Whole tiles go straight to memory, the others through a matrix's worth of workgroup memory, where they are cut to size.
  const { result, epilogue } = product;
  const direct =
    result.linear &&
    product.rows % tile.rows === 0 &&
    product.columns % tile.columns === 0 &&
    !epilogue?.bias &&
    !epilogue?.relu;

  const load = (name: 'left' | 'right', index: number) => {
    const [operand, extent, { line }, own] =
      name === 'left'
        ? [product.left, unit.rows, leftLayout, `rowInTile + ${index * unit.rows}`]
        : [product.right, unit.columns, rightLayout, `columnInTile + ${index * unit.columns}`];
    const alongDepth = operand.contiguous === 'depth';
    const at = alongDepth
      ? `u32(${own}) * ${line}u + slice * ${unit.depth / 4}u`
      : `slice * ${unit.depth * line}u + u32(${own}) / 4u`;
    const order = alongDepth === (name === 'left') ? 'row_major' : 'col_major';
    const [x, y] = name === 'left' ? [unit.depth, extent] : [extent, unit.depth];
    return `subgroupMatrixLoad<subgroup_matrix_${name}<f16, ${x}, ${y}>, ${order}>(&${name}Tile, ${at}, ${line}u)`;
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
  const area = unit.rows * unit.columns;
  const storeCut = (i: number, j: number) => `
  subgroupMatrixStore<row_major>(&cut, subgroup * ${area}u, sum${i}_${j}, ${unit.columns}u);
  workgroupBarrier();
  for (var quad = i32(lane); quad < ${area / 4}; quad += ${unit.subgroup}) {
    let row = quad / ${unit.columns / 4};
    let column = quad % ${unit.columns / 4} * 4;
    let at = i32(subgroup) * ${area} + row * ${unit.columns} + column;
    store(resultRow(firstRow + rowInTile + ${i * unit.rows} + row, group), firstColumn + columnInTile + ${j * unit.columns} + column, part,
      vec4f(cut[at], cut[at + 1], cut[at + 2], cut[at + 3]));
  }
  workgroupBarrier();`;

  return {
    key: `${product.key} ${JSON.stringify(schedule)}`,
    enable: ['f16', 'subgroups', 'chromium_experimental_subgroup_matrix'],
    buffers: productBuffers(product, parts, { vectorResult: !direct }),
    workgroups: work.workgroups,
    code: () => `
${left.declaration}
${right.declaration}
${direct ? '' : `var<workgroup> cut: array<f32, ${subgroups * area}>;`}
${productFunctions(product)}
${direct ? '' : storeFunction(product, parts)}
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
${sums(direct ? storeDirect : storeCut)}
}`,
  };
}
