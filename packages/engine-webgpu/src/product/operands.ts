import { loadFunction, type Operand, type Result, widthOf } from './product.ts';

/** A matrix in memory: element [outer, depth] of group g lies at group(g) + outer * outerStep + depth * depthStep; one step is 1. */
export interface MatrixLayout {
  readonly outer: number;
  readonly outerStep: number;
  readonly depthStep: number;
  /** WGSL expression of `group`, where the matrix of a group begins: a multiple of its size. Default '0'. */
  readonly groupStart?: string;
}

/** An operand that lies in memory as a matrix. */
export function matrixOperand(layout: MatrixLayout): Operand {
  const { outer, outerStep, depthStep, groupStart = '0' } = layout;
  const contiguous = outerStep === 1 ? 'outer' : 'depth';
  return {
    contiguous,
    width: contiguous === 'outer' ? widthOf(outer, depthStep) : widthOf(outerStep),
    functions: (name, memory, width) => `
fn ${name}Outer(index: i32, group: i32) -> vec3i {
  return vec3i(${groupStart} + index * ${outerStep}, select(-1, 0, index < ${outer}), 0);
}
fn ${name}Depth(index: i32, end: i32, group: i32) -> vec3i {
  return vec3i(index * ${depthStep}, select(-1, 0, index < end), 0);
}
${loadFunction(name, memory, width, { outside: '(outer.y | depth.y) < 0', at: 'outer.x + depth.x' })}`,
  };
}

/** A result that lies in memory as a matrix, group after group. */
export function matrixResult(rows: number, columns: number, groups = 1): Result {
  return {
    size: groups * rows * columns,
    vector: columns % 4 === 0,
    linear: true,
    functions: `
fn resultRow(row: i32, group: i32) -> i32 {
  return select(-1, (group * ${rows} + row) * ${columns}, row < ${rows});
}`,
  };
}
