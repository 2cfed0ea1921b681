/** Element-wise functions of one tensor: name in `src/kernels/elementwise-operations.ts` and expression of the vector `x`. */
const unary = {
  relu: 'f32x4.max(x, zero)',
  step: 'v128.bitselect(v128.and(one, f32x4.gt(x, zero)), x, f32x4.eq(x, x))',
  square: 'f32x4.mul(x, x)',
  sqrt: 'f32x4.sqrt(x)',
  rsqrt: 'f32x4.div(one, f32x4.sqrt(x))',
  neg: 'f32x4.neg(x)',
  abs: 'f32x4.abs(x)',
  reciprocal: 'f32x4.div(one, x)',
  exp: 'exp(x)',
  log: 'log(x)',
  relu6: 'f32x4.min(f32x4.max(x, zero), f32x4.splat(6))',
  sigmoid: 'f32x4.div(one, f32x4.add(one, exp(f32x4.neg(x))))',
  silu: 'f32x4.div(x, f32x4.add(one, exp(f32x4.neg(x))))',
};

/** Element-wise functions of two tensors: name there and expression of the vectors `x` and `y`. */
const binary = {
  add: 'f32x4.add(x, y)',
  sub: 'f32x4.sub(x, y)',
  mul: 'f32x4.mul(x, y)',
  div: 'f32x4.div(x, y)',
  maximum: 'f32x4.max(x, y)',
  minimum: 'f32x4.min(x, y)',
  squaredDifference: 'squaredDifference(x, y)',
  // gradients of functions of one tensor: x is that of the result, y the tensor
  squareGradient: 'f32x4.mul(x, f32x4.add(y, y))',
  reluGradient:
    'f32x4.mul(x, v128.bitselect(v128.and(f32x4.splat(1), f32x4.gt(y, f32x4.splat(0))), y, f32x4.eq(y, y)))',
  // here y is the sigmoid
  sigmoidGradient: 'f32x4.mul(x, f32x4.mul(y, f32x4.sub(f32x4.splat(1), y)))',
  siluGradient: 'f32x4.mul(x, siluSlope(y))',
};

const unaryNames = Object.keys(unary);
const binaryNames = Object.keys(binary);

/** Stores the 1 to 3 elements after the last whole vector: never one more, as the next row belongs to another task. */
const tail = (value) => [
  '  if (o < end) {',
  `    const r = ${value};`,
  '    const left = end - o;',
  '    if (left & 8) { v128.store64_lane(o, r, 0); if (left & 4) v128.store32_lane(o, r, 2, 8); }',
  '    else v128.store32_lane(o, r, 0);',
  '  }',
];

const unaryLoop = ([name, expression]) => [
  `function ${name}Row(a: usize, o: usize, n: i32): void {`,
  '  const zero = f32x4.splat(0), one = f32x4.splat(1), end = o + ((<usize>n) << 2);',
  `  for (; o + 16 <= end; o += 16, a += 16) { const x = v128.load(a); v128.store(o, ${expression}); }`,
  '  if (o === end) return;',
  '  const x = v128.load(a);',
  ...tail(expression),
  '}',
];

const binaryLoop = ([name, expression]) => [
  `function ${name}Row(a: usize, aStep: i32, b: usize, bStep: i32, o: usize, n: i32): void {`,
  '  const end = o + ((<usize>n) << 2);',
  '  if (aStep && bStep) {',
  `    for (; o + 16 <= end; o += 16, a += 16, b += 16) { const x = v128.load(a), y = v128.load(b); v128.store(o, ${expression}); }`,
  '  } else if (aStep) {',
  '    const y = v128.load32_splat(b);',
  `    for (; o + 16 <= end; o += 16, a += 16) { const x = v128.load(a); v128.store(o, ${expression}); }`,
  '  } else if (bStep) {',
  '    const x = v128.load32_splat(a);',
  `    for (; o + 16 <= end; o += 16, b += 16) { const y = v128.load(b); v128.store(o, ${expression}); }`,
  '  } else {',
  '    const x = v128.load32_splat(a), y = v128.load32_splat(b);',
  `    for (; o + 16 <= end; o += 16) v128.store(o, ${expression});`,
  '  }',
  '  if (o === end) return;',
  '  const x = aStep ? v128.load(a) : v128.load32_splat(a);',
  '  const y = bStep ? v128.load(b) : v128.load32_splat(b);',
  ...tail(expression),
  '}',
];

/**
 * AssemblyScript source of a loop for each element-wise function, and their numbers in the order of the names.
 *
 * @returns {string}
 */
export function generateElementwise() {
  return [
    "import { exp, log, siluSlope, squaredDifference } from '../math';",
    ...Object.entries(unary).flatMap(unaryLoop),
    ...Object.entries(binary).flatMap(binaryLoop),
    '/** out = f(a), n elements. */',
    'export function unaryRow(operation: i32, a: usize, out: usize, n: i32): void {',
    '  switch (operation) {',
    ...unaryNames.map((name, i) => `    case ${i}: ${name}Row(a, out, n); break;`),
    '    default: unreachable();',
    '  }',
    '}',
    '/** out = f(a, b), n elements; an operand whose step is 0 is one number. */',
    'export function binaryRow(operation: i32, a: usize, aStep: i32, b: usize, bStep: i32, out: usize, n: i32): void {',
    '  switch (operation) {',
    ...binaryNames.map((name, i) => `    case ${i}: ${name}Row(a, aStep, b, bStep, out, n); break;`),
    '    default: unreachable();',
    '  }',
    '}',
  ]
    .join('\n')
    .concat('\n');
}
