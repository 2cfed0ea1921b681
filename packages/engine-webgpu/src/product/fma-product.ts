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
  const element = arithmetic.kind === 'float32' ? 'f32' : 'f16';
  const [threadsX, threadsY] = [tile.columns / tile.threadColumns, tile.rows / tile.threadRows];
  const threads = threadsX * threadsY;
  const shared = { depth: tile.depth, threads, element } as const;
  const pad = (operand: { contiguous: string }) => (operand.contiguous === 'depth' ? 1 : 0);
  const left = stage(product.left, { ...shared, name: 'left', extent: tile.rows, padding: pad(product.left) });
  const right = stage(product.right, {
    ...shared,
    name: 'right',
    extent: tile.columns,
    padding: pad(product.right),
    spread: true,
  });
  const quadRows = tile.threadRows / 4;
  const quadColumns = tile.threadColumns / 4;
  const work = enumerate(product, schedule);

  const leftAt = (row: number, k: number) =>
    product.left.contiguous === 'depth' ? `a${row}.${component(k)}` : `a${k}_${row >> 2}.${component(row)}`;
  const rightAt = (quad: number, k: number) =>
    product.right.contiguous === 'outer'
      ? `b${k}_${quad}`
      : `vec4f(${[0, 1, 2, 3].map((c) => `b${quad}_${c}.${component(k)}`).join(', ')})`;
  const loadLeft =
    product.left.contiguous === 'depth'
      ? lines(tile.threadRows, (row) => {
          const at = `(${(row >> 2) * threadsY * 4 + (row & 3)} + threadY * 4) * ${left.line} + quad`;
          return `      let a${row} = vec4f(leftTile[${at}]);`;
        })
      : '';
  const loadRight =
    product.right.contiguous === 'depth'
      ? lines(tile.threadColumns, (column) => {
          const at = `(${(column & 3) * (tile.columns / 4) + (column >> 2) * threadsX} + threadX) * ${right.line} + quad`;
          return `      let b${column >> 2}_${column & 3} = vec4f(rightTile[${at}]);`;
        })
      : '';
  const multiply = (k: number) => `
${
  product.left.contiguous === 'outer'
    ? lines(
        quadRows,
        (i) => `      let a${k}_${i} = vec4f(leftTile[(quad * 4 + ${k}) * ${left.line} + ${i * threadsY} + threadY]);`,
      )
    : ''
}
${
  product.right.contiguous === 'outer'
    ? lines(
        quadColumns,
        (j) =>
          `      let b${k}_${j} = vec4f(rightTile[(quad * 4 + ${k}) * ${right.line} + ${j * threadsX} + threadX]);`,
      )
    : ''
}
${lines(tile.threadRows, (row) =>
  lines(quadColumns, (j) => `      sum${row}_${j} = fma(vec4f(${leftAt(row, k)}), ${rightAt(j, k)}, sum${row}_${j});`),
)}`;

  const code = () => `
${left.declaration}
${right.declaration}
${productFunctions(product)}
${storeFunction(product, parts)}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) thread: u32) {
${work.code}
  let threadX = i32(thread) % ${threadsX};
  let threadY = i32(thread) / ${threadsX};
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
${loadLeft}
${loadRight}
${lines(4, multiply)}
    }
    workgroupBarrier();
  }
${lines(tile.threadRows, (row) => {
  const at = `firstRow + ${(row >> 2) * threadsY * 4 + (row & 3)} + threadY * 4`;
  return `  { let start = resultRow(${at}, group);
${lines(quadColumns, (j) => `    store(start, firstColumn + (${j * threadsX} + threadX) * 4, part, sum${row}_${j});`)} }`;
})}
}`;
  return {
    key: `${product.key} ${JSON.stringify(schedule)}`,
    enable: element === 'f16' ? ['f16'] : [],
    buffers: productBuffers(product, parts, { vectorResult: true }),
    code,
    workgroups: work.workgroups,
  };
}
