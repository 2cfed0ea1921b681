import type { Memory } from '../memory.ts';
import { numbersCode } from '../numbers-code.ts';
import type { Product } from './product.ts';

/** Defines `store`, which writes four neighbouring columns of a row that begins at `start`. */
export function storeFunction(product: Product, parts: number, memory: Memory): string {
  const { result, columns, epilogue } = product;
  const whole = parts === 1;
  const offset = whole ? '' : `part * ${result.size} + `;
  const biased = epilogue?.bias && whole;
  const relu = epilogue?.relu && whole;
  const added = epilogue?.addend && whole;
  if (result.vector) {
    return `
${relu ? numbersCode('vec4f') : ''}
fn store(start: i32, column: i32, part: i32, sum: vec4f) {
  if (start < 0 || column >= ${columns}) { return; }
  var value = sum;
  ${biased ? 'value += vec4f(bias[column], bias[column + 1], bias[column + 2], bias[column + 3]);' : ''}
  ${added ? `value += ${memory.load('addend', 'u32(start + column) / 4u')};` : ''}
  ${relu ? 'value = rectified(value);' : ''}
  ${memory.store('result', `u32(${offset}start + column) / 4u`, 'value')}
}`;
  }
  return `
${relu ? numbersCode('f32') : ''}
fn store(start: i32, column: i32, part: i32, sum: vec4f) {
  if (start < 0) { return; }
  for (var i = 0; i < 4; i++) {
    if (column + i < ${columns}) {
      var value = sum[i];
      ${biased ? 'value += bias[column + i];' : ''}
      ${added ? `value += ${memory.load('addend', 'start + column + i')};` : ''}
      ${relu ? 'value = rectified(value);' : ''}
      ${memory.store('result', `${offset}start + column + i`, 'value')}
    }
  }
}`;
}
