const range = (n) => [...Array(n).keys()];
const add = (a, b) => `f32x4.add(${a}, ${b})`;
const sub = (a, b) => `f32x4.sub(${a}, ${b})`;
const half = (a) => `f32x4.mul(half, ${a})`;
const transpose = (m) => m[0].map((_, j) => m.map((row) => row[j]));

/** Matrices of F(2x2, 3x3), as the expressions that they make of a vector; terms that occur twice are common to the compiler. */
const inputRow = ([x0, x1, x2, x3]) => [sub(x0, x2), add(x1, x2), sub(x2, x1), sub(x1, x3)]; // B^T x
const outputRow = ([m0, m1, m2, m3]) => [add(add(m0, m1), m2), sub(sub(m1, m2), m3)]; // A^T m
const weightRow = ([g0, g1, g2]) => [g0, add(half(add(g0, g2)), half(g1)), sub(half(add(g0, g2)), half(g1)), g2]; // G g
const outputGradientRow = ([y0, y1]) => [y0, add(y0, y1), sub(y0, y1), `f32x4.neg(${y1})`]; // A y
const weightGradientRow = ([u0, u1, u2, u3]) => [
  add(u0, half(add(u1, u2))),
  half(sub(u1, u2)),
  add(half(add(u1, u2)), u3),
]; // G^T u

/**
 * Lines that make the matrix `row(x) row^T` of a matrix of values x, whose names are given: to names that begin with `prefix`.
 *
 * @param {(vector: string[]) => string[]} row
 * @param {string[][]} x
 * @param {string} prefix
 * @returns {{ lines: string[], values: string[][] }}
 */
function bothSides(row, x, prefix) {
  const lines = [];
  const apply = (matrix, name) =>
    transpose(
      transpose(matrix).map((column, j) =>
        row(column).map((expression, i) => {
          lines.push(`  const ${name}${i}${j} = ${expression};`);
          return `${name}${i}${j}`;
        }),
      ),
    );
  const left = apply(x, `${prefix}t`);
  return { lines, values: transpose(apply(transpose(left), `${prefix}v`)) };
}

/**
 * AssemblyScript source of the transforms of Winograd's F(2x2, 3x3), unrolled.
 *
 * Where the build is for a re-vectoriser, two vectors of four channels are worked on side by side, with all loads before all stores, so
 * that it finds pairs; elsewhere one at a time, as registers are few.
 *
 * @param {import('./generate-micro.mjs').Variant} variant
 * @returns {string}
 * @see Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016), section 4.1.
 */
export function generateWinograd({ columns }) {
  const vectors = range(columns >= 16 ? 2 : 1);
  /** A function that loads `side` x `side` values, transforms them and stores the result. */
  const transform = (signature, { row, side, load, store, before = [], between = () => [] }) => {
    const loaded = vectors.map((v) => range(side).map((i) => range(side).map((j) => `x${v}_${i}${j}`)));
    const results = vectors.map((v) => bothSides(row, loaded[v], `h${v}`));
    const size = results[0].values.length;
    const declare = between().length > 0 ? 'let' : 'const';
    return [
      `export function ${signature} {`,
      ...before,
      ...range(side * side).flatMap((k) =>
        vectors.map((v) => `  ${declare} ${loaded[v][Math.floor(k / side)][k % side]} = ${load(k, 16 * v)};`),
      ),
      ...between((k, v) => loaded[v][Math.floor(k / side)][k % side]),
      ...results.flatMap(({ lines }) => lines),
      ...range(size * size).flatMap((k) =>
        vectors.map((v) => `  ${store(k, results[v].values[Math.floor(k / size)][k % size], 16 * v)}`),
      ),
      '}',
    ];
  };
  const pointer = (table, k, offset) => `<usize>load<u32>(${table}, ${4 * k}) + ${offset}`;
  const halves = ['  const half = f32x4.splat(0.5);'];
  return [
    '/** Bytes of the channels that a call transforms. */',
    `export const STEP: usize = ${16 * vectors.length};`,

    '/** V = B^T d B: d from 16 addresses in table `ip` plus `offset`; V to 16 places `step` bytes apart. */',
    ...transform('transformInput(ip: usize, offset: usize, d: usize, step: usize): void', {
      row: inputRow,
      side: 4,
      load: (k, v) => `v128.load(${pointer('ip', k, 'offset')}, ${v})`,
      store: (k, value, v) => `v128.store(d + ${k} * step, ${value}, ${v});`,
    }),

    '/** Y = A^T M A: M from 16 places `step` bytes apart; Y to 4 addresses in table `op` plus `offset`. */',
    ...transform('transformOutput(m: usize, step: usize, op: usize, offset: usize): void', {
      row: outputRow,
      side: 4,
      load: (k, v) => `v128.load(m + ${k} * step, ${v})`,
      store: (k, value, v) => `v128.store(${pointer('op', k, 'offset')}, ${value}, ${v});`,
    }),

    '/** U = G g G^T: g from 9 places `gStep` bytes apart; U to 16 places `step` bytes apart. */',
    ...transform('transformWeights(g: usize, gStep: usize, d: usize, step: usize): void', {
      row: weightRow,
      side: 3,
      before: halves,
      load: (k, v) => `v128.load(g + ${k} * gStep, ${v})`,
      store: (k, value, v) => `v128.store(d + ${k} * step, ${value}, ${v});`,
    }),

    '/** N = A dY A^T: dY from 4 addresses in table `yp` plus `offset`; N to 16 places `step` bytes apart. */',
    ...transform('transformOutputGradient(yp: usize, offset: usize, d: usize, step: usize): void', {
      row: outputGradientRow,
      side: 2,
      load: (k, v) => `v128.load(${pointer('yp', k, 'offset')}, ${v})`,
      store: (k, value, v) => `v128.store(d + ${k} * step, ${value}, ${v});`,
    }),

    '/** dg = G^T dU G, dU being the sum of `parts` that lie `partStep` bytes apart: each 16 places `step` bytes apart; dg to 9. */',
    ...transform('transformWeightGradient(u: usize, parts: i32, partStep: usize, step: usize, g: usize): void', {
      row: weightGradientRow,
      side: 4,
      before: halves,
      load: (k, v) => `v128.load(u + ${k} * step, ${v})`,
      between: (name = () => '') => [
        '  for (let part = 1; part < parts; part++) {',
        '    u += partStep;',
        ...range(16).flatMap((k) =>
          vectors.map((v) => `    ${name(k, v)} = f32x4.add(${name(k, v)}, v128.load(u + ${k} * step, ${16 * v}));`),
        ),
        '  }',
      ],
      store: (k, value, v) => `v128.store(g + ${k} * step, ${value}, ${v});`,
    }),
  ]
    .join('\n')
    .concat('\n');
}
