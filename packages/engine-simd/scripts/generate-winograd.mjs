const range = (n) => [...Array(n).keys()];
const add = (a, b) => `f32x4.add(${a}, ${b})`;
const sub = (a, b) => `f32x4.sub(${a}, ${b})`;

/** Constants of the transforms. They lie in memory: V8 has a vector of one number from there in one instruction, and else in eight. */
const constants = [];
const constant = (number) => {
  if (!constants.includes(number)) constants.push(number);
  return `k${constants.indexOf(number)}`;
};
const mul = (a, number) => `f32x4.mul(${a}, ${constant(number)})`;
/** a number + c. */
const madd = (a, number, c) =>
  number < 0 ? `nmadd(${a}, ${constant(-number)}, ${c})` : `madd(${a}, ${constant(number)}, ${c})`;

/**
 * A bilinear algorithm for a line of outputs of a filter with three taps: what makes a line `values` of, as names of constants and the
 * expressions of the results. Those with a capital letter are transposes of the others.
 *
 * @typedef {object} Line
 * @property {string} name suffix of the functions
 * @property {number} inputs pixels that are read
 * @property {number} products
 * @property {number} [factors] transformed weights: as many as products, or fewer
 * @property {number} [sums] of products: as many as these, or fewer
 * @property {number} outputs pixels that are made
 * @property {Partial<Record<'input' | 'output' | 'weights' | 'outputGradient' | 'weightGradient', (names: string[]) => { before?: Record<string, string>, results: string[] }>>} rows
 */

/** Points of F(4, 3) beside zero and infinity: +-P and +-Q. Of those that are exact in binary they have nearly the least error. */
const P = 5 / 8;
const Q = 3 / 2;
const P2 = P * P;
const Q2 = Q * Q;
/** Inverse values at the points of the polynomial that vanishes at all others. */
const AT_0 = 1 / (P2 * Q2);
const AT_P = 1 / (2 * P2 * (P2 - Q2));
const AT_Q = 1 / (2 * Q2 * (Q2 - P2));

/** F(4, 3): six products for four outputs. */
const tiles = {
  name: 'Tile',
  inputs: 6,
  products: 6,
  outputs: 4,
  rows: {
    // B^T d
    input: ([d0, d1, d2, d3, d4, d5]) => ({
      before: { ep: madd(d2, -Q2, d4), op: madd(d1, -Q2, d3), eq: madd(d2, -P2, d4), oq: madd(d1, -P2, d3) },
      results: [
        madd(d0, P2 * Q2, madd(d2, -(P2 + Q2), d4)),
        madd('op', P, 'ep'),
        madd('op', -P, 'ep'),
        madd('oq', Q, 'eq'),
        madd('oq', -Q, 'eq'),
        madd(d1, P2 * Q2, madd(d3, -(P2 + Q2), d5)),
      ],
    }),
    // A^T m
    output: ([m0, m1, m2, m3, m4, m5]) => ({
      before: { ep: add(m1, m2), op: sub(m1, m2), eq: add(m3, m4), oq: sub(m3, m4) },
      results: [
        add(m0, add('ep', 'eq')),
        madd('oq', Q, mul('op', P)),
        madd('eq', Q2, mul('ep', P2)),
        madd('oq', Q * Q2, madd('op', P * P2, m5)),
      ],
    }),
    // G g
    weights: ([g0, g1, g2]) => ({
      before: {
        ep: madd(g2, AT_P * P2, mul(g0, AT_P)),
        op: mul(g1, AT_P * P),
        eq: madd(g2, AT_Q * Q2, mul(g0, AT_Q)),
        oq: mul(g1, AT_Q * Q),
      },
      results: [mul(g0, AT_0), add('ep', 'op'), sub('ep', 'op'), add('eq', 'oq'), sub('eq', 'oq'), g2],
    }),
    // A y
    outputGradient: ([y0, y1, y2, y3]) => ({
      before: { ep: madd(y2, P2, y0), op: madd(y3, P2, y1), eq: madd(y2, Q2, y0), oq: madd(y3, Q2, y1) },
      results: [y0, madd('op', P, 'ep'), madd('op', -P, 'ep'), madd('oq', Q, 'eq'), madd('oq', -Q, 'eq'), y3],
    }),
    // G^T u
    weightGradient: ([u0, u1, u2, u3, u4, u5]) => ({
      before: { ep: add(u1, u2), op: sub(u1, u2), eq: add(u3, u4), oq: sub(u3, u4) },
      results: [
        madd('eq', AT_Q, madd('ep', AT_P, mul(u0, AT_0))),
        madd('oq', AT_Q * Q, mul('op', AT_P * P)),
        madd('eq', AT_Q * Q2, madd('ep', AT_P * P2, u5)),
      ],
    }),
  },
};

/** Both pixels of a line of two, with a zero before and behind: three products. */
const pairs = {
  name: 'Pair',
  inputs: 2,
  products: 3,
  outputs: 2,
  rows: {
    input: ([x0, x1]) => ({ results: [x1, add(x0, x1), x0] }),
    output: ([m0, m1, m2]) => ({ results: [add(m0, m1), add(m1, m2)] }),
    weights: ([g0, g1, g2]) => ({ results: [sub(g2, g1), g1, sub(g0, g1)] }),
    outputGradient: ([y0, y1]) => ({ results: [y0, add(y0, y1), y1] }),
    weightGradient: ([u0, u1, u2]) => ({ results: [u2, sub(u1, add(u0, u2)), u0] }),
  },
};

/** Points of F(4, 2) beside zero and infinity: +-R and S. They have nearly the least error for the gradient of the input, which has most. */
const R = 3 / 4;
const S = 2;
const R2 = R * R;
const S2 = S * S;
/** Inverse values at the points of the polynomial that vanishes at all others. */
const TWO_AT_0 = 1 / (R2 * S);
const TWO_AT_R = 1 / (2 * R2 * (R - S));
const TWO_AT_MINUS_R = -1 / (2 * R2 * (R + S));
const TWO_AT_S = 1 / (S * (S2 - R2));

/** F(4, 2): five products for four outputs. B^T d. */
const twoTaps = ([d0, d1, d2, d3, d4]) => ({
  before: { op: madd(d1, -R2, d3), oq: madd(d1, -S, d2), eq: madd(d2, -S, d3) },
  results: [
    madd(madd(d0, -R2, d2), -S, 'op'),
    madd('oq', R, 'eq'),
    madd('oq', -R, 'eq'),
    'op',
    madd('op', -S, madd(d2, -R2, d4)),
  ],
});

/**
 * Four outputs at stride 2. The outer taps see every second pixel: five products. The middle one sees those between: four, transformed so that they
 * add to those at 0, R, -R and infinity.
 */
const strided = {
  name: 'Strided',
  inputs: 9,
  products: 9,
  factors: 6,
  sums: 5,
  outputs: 4,
  rows: {
    input: ([d0, d1, d2, d3, d4, d5, d6, d7, d8]) => {
      const { before, results } = twoTaps([d0, d2, d4, d6, d8]);
      return {
        before: { ...before, ep: mul(d5, 1 / (2 * R2)) },
        results: [
          ...results,
          madd(d5, -1 / R2, d1),
          madd(d3, 1 / (2 * R), 'ep'),
          madd(d3, -1 / (2 * R), 'ep'),
          madd(d3, -R2, d7),
        ],
      };
    },
    output: ([m0, m1, m2, m3, m4]) => ({
      before: { ep: add(m1, m2), op: sub(m1, m2) },
      results: [
        add(m0, add('ep', m3)),
        madd(m3, S, mul('op', R)),
        madd(m3, S2, mul('ep', R2)),
        madd(m3, S * S2, madd('op', R * R2, m4)),
      ],
    }),
    weights: ([g0, g1, g2]) => ({
      results: [
        mul(g0, TWO_AT_0),
        mul(madd(g2, R, g0), TWO_AT_R),
        mul(madd(g2, -R, g0), TWO_AT_MINUS_R),
        mul(madd(g2, S, g0), TWO_AT_S),
        g2,
        g1,
      ],
    }),
    outputGradient: ([y0, y1, y2, y3]) => ({
      before: { ep: madd(y2, R2, y0), op: madd(y3, R2, y1), eq: madd(y2, S2, y0), oq: madd(y3, S2, y1) },
      results: [y0, madd('op', R, 'ep'), madd('op', -R, 'ep'), madd('oq', S, 'eq'), y3],
    }),
    weightGradient: ([u0, u1, u2, u3, u4, u5]) => ({
      before: { ep: mul(u1, TWO_AT_R), eq: mul(u2, TWO_AT_MINUS_R), oq: mul(u3, TWO_AT_S) },
      results: [madd(u0, TWO_AT_0, add(add('ep', 'eq'), 'oq')), u5, madd(sub('ep', 'eq'), R, madd('oq', S, u4))],
    }),
  },
};

/** Eight pixels of the gradient of the input at stride 2, those that the middle tap sees before those that the outer ones do. */
const stridedGradient = {
  name: 'StridedGradient',
  inputs: 5,
  products: 9,
  outputs: 8,
  rows: {
    input: (dy) => {
      const { before, results } = twoTaps(dy);
      return { before, results: [...results, ...dy.slice(0, 4)] };
    },
    output: ([m0, m1, m2, m3, m4, m5, m6, m7, m8]) => {
      const { before, results } = strided.rows.output([m0, m1, m2, m3, m4]);
      return { before, results: [m5, m6, m7, m8].flatMap((middle, i) => [middle, results[i]]) };
    },
  },
};

/**
 * AssemblyScript source of the transforms of Winograd's F(4x4, 3x3), and of the like for images of 2x2 and for stride 2, unrolled.
 *
 * A transform goes through the columns and then through the lines; in between values wait in memory, as there are more than registers.
 * Where the build is for a re-vectoriser, two vectors of four channels are worked on side by side, with all loads before all stores, so
 * that it finds pairs.
 *
 * @param {import('./generate-micro.mjs').Variant} variant
 * @returns {string}
 * @see Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016), section 4.1.
 * @see Barabasz et al., "Error Analysis and Improving the Accuracy of Winograd Convolution for Deep Neural Networks" (2020), on points.
 */
export function generateWinograd({ columns }) {
  const vectors = range(columns >= 16 ? 2 : 1);
  const step = 16 * vectors.length;

  /** Lines that make `row` of values that `load(i, v)` gives and hand each result to `store(i, v, value)`. */
  const apply = (row, size, load, store) => {
    const all = vectors.map((v) => row(range(size).map((i) => `x${i}_${v}`)));
    const own = (expression, v) => expression.replace(/\b[eo][pq]\b/g, (name) => `${name}_${v}`);
    return [
      '  {',
      ...range(size).flatMap((i) => vectors.map((v) => `    const x${i}_${v} = ${load(i, 16 * v)};`)),
      ...Object.keys(all[0].before ?? {}).flatMap((name) =>
        vectors.map((v) => `    const ${name}_${v} = ${own(all[v].before[name], v)};`),
      ),
      ...all[0].results.flatMap((_, i) => vectors.map((v) => `    const r${i}_${v} = ${own(all[v].results[i], v)};`)),
      ...all[0].results.flatMap((_, i) => vectors.toReversed().map((v) => `    ${store(i, `r${i}_${v}`, 16 * v)}`)),
      '  }',
    ];
  };

  const constantsOf = (row, size) => {
    const { before = {}, results } = row(range(size).map((i) => `x${i}`));
    const names = [...Object.values(before), ...results].join(' ').match(/\bk\d+\b/g) ?? [];
    return [...new Set(names)].map((name) => Number(name.slice(1)));
  };

  /** A function that transforms `size` x `size` values into `results` x `results`. */
  const transform = (name, parameters, { row, size, results, load, store }) => [
    `export function ${name}(${parameters}, buffer: usize): void {`,
    ...constantsOf(row, size).map((k) => `  const k${k} = v128.load32_splat(CONSTANTS, ${4 * k});`),
    ...range(size).flatMap((j) =>
      apply(
        row,
        size,
        (i, v) => load(i * size + j, v),
        (i, value, v) => `v128.store(buffer, ${value}, ${(i * size + j) * step + v});`,
      ),
    ),
    ...range(results).flatMap((i) =>
      apply(
        row,
        size,
        (j, v) => `v128.load(buffer, ${(i * size + j) * step + v})`,
        (j, value, v) => store(i * results + j, value, v),
      ),
    ),
    '}',
  ];
  const fromTable = (k, v) => `v128.load(<usize>load<u32>(table, ${4 * k}) + offset, ${v})`;
  const toTable = (k, value, v) => `v128.store(<usize>load<u32>(table, ${4 * k}) + offset, ${value}, ${v});`;
  const fromPlaces = (k, v) => `v128.load(from + ${k} * fromStep, ${v})`;
  const toPlaces = (k, value, v) => `v128.store(to + ${k} * toStep, ${value}, ${v});`;
  /** The function of one of a line's transforms, if it has it, with a line of documentation. */
  const functionOf = ({ name, rows }, part, comment, parameters, options) =>
    rows[part]
      ? [
          comment,
          ...transform(`transform${part[0].toUpperCase()}${part.slice(1)}${name}`, parameters, {
            row: rows[part],
            ...options,
          }),
        ]
      : [];
  const functions = [tiles, pairs, strided, stridedGradient].flatMap((line) => {
    const { inputs, products, factors = products, sums = products, outputs } = line;
    return [
      ...functionOf(
        line,
        'input',
        '/** B^T d B: d from the addresses in `table` plus `offset`, to places `toStep` bytes apart. */',
        'table: usize, offset: usize, to: usize, toStep: usize',
        { size: inputs, results: products, load: fromTable, store: toPlaces },
      ),
      ...functionOf(
        line,
        'output',
        '/** A^T M A: M from places `fromStep` bytes apart, to the addresses in `table` plus `offset`. */',
        'from: usize, fromStep: usize, table: usize, offset: usize',
        { size: sums, results: outputs, load: fromPlaces, store: toTable },
      ),
      ...functionOf(
        line,
        'weights',
        '/** G g G^T: g from places `fromStep` bytes apart, to places `toStep` bytes apart. */',
        'from: usize, fromStep: usize, to: usize, toStep: usize',
        { size: 3, results: factors, load: fromPlaces, store: toPlaces },
      ),
      ...functionOf(
        line,
        'outputGradient',
        '/** A dY A^T: dY from the addresses in `table` plus `offset`, to places `toStep` bytes apart. */',
        'table: usize, offset: usize, to: usize, toStep: usize',
        { size: outputs, results: sums, load: fromTable, store: toPlaces },
      ),
      ...functionOf(
        line,
        'weightGradient',
        '/** G^T dU G: dU from places `fromStep` bytes apart, to places `toStep` bytes apart. */',
        'from: usize, fromStep: usize, to: usize, toStep: usize',
        { size: factors, results: 3, load: fromPlaces, store: toPlaces },
      ),
    ];
  });
  return [
    "import { madd, nmadd } from './micro';",
    '/** Bytes of the channels that a call transforms. */',
    `export const STEP: usize = ${step};`,
    `const CONSTANTS: usize = memory.data<f32>([${constants.join(', ')}]);`,
    ...functions,
  ]
    .join('\n')
    .concat('\n');
}
