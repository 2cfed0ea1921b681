/**
 * @typedef {object} Variant One build of the kernels.
 * @property {string} name name of its file in `wasm/`
 * @property {number} rows rows of the tile of C that a micro-kernel keeps in registers
 * @property {number} columns its columns, a multiple of 4
 * @property {boolean} relaxed whether a product and its sum are one rounding (`f32x4.relaxed_madd`)
 */

const range = (n) => [...Array(n).keys()];

/**
 * AssemblyScript source of everything that depends on the variant: the micro-kernels and the packing of their operands.
 *
 * All micro-kernels multiply a tile C[rows x columns] = sum over k of A[row, k] B[k, column], in the order of k, each element in one
 * chain: their results agree bit for bit.
 *
 * @param {Variant} variant
 * @returns {string}
 */
export function generateMicro({ rows, columns, relaxed }) {
  const vectors = range(columns / 4);
  const lines = range(rows);
  const fma = (a, b, c) =>
    relaxed ? `f32x4.relaxed_madd(${a}, ${b}, ${c})` : `f32x4.add(${c}, f32x4.mul(${a}, ${b}))`;
  const accumulators = lines.flatMap((i) => vectors.map((j) => `  let c${i}_${j} = f32x4.splat(0);`));
  const loadB = (address, from = 0) => vectors.map((j) => `    const b${j} = v128.load(${address}, ${from + 16 * j});`);
  const multiply = (loadA) =>
    lines.flatMap((i) => [
      `    const a${i} = ${loadA(i)};`,
      ...vectors.map((j) => `    c${i}_${j} = ${fma(`a${i}`, `b${j}`, `c${i}_${j}`)};`),
    ]);
  const at = (table, i, offset) => `<usize>load<u32>(${table}, ${4 * i}) + ${offset}`;
  // Both halves are loaded before either is stored: V8's re-vectoriser gives up otherwise. The upper one is stored first: otherwise it stores the
  // lower one once more on its own.
  const upperFirst = (store) => vectors.map((j) => store(j ^ 1));
  const write = (place) => [
    '  if (overwrite) {',
    ...lines.map((i) => `    { ${place(i)} ${upperFirst((j) => `v128.store(p, c${i}_${j}, ${16 * j});`).join(' ')} }`),
    '  } else {',
    ...lines.map(
      (i) =>
        `    { ${place(i)} ${vectors.map((j) => `const t${j} = v128.load(p, ${16 * j});`).join(' ')} ` +
        `${upperFirst((j) => `v128.store(p, f32x4.add(t${j}, c${i}_${j}), ${16 * j});`).join(' ')} }`,
    ),
    '  }',
    '}',
  ];
  const writeTile = write((i) => `const p = ${at('cp', i, 'co')};`);
  const writeRows = (c, step) => write((i) => `const p = ${c} + ${i} * ${step};`);

  return [
    `export const ROWS: i32 = ${rows};`,
    `export const COLUMNS: i32 = ${columns};`,
    '/** a * b + c. */',
    `export function madd(a: v128, b: v128, c: v128): v128 { return ${fma('a', 'b', 'c')}; }`,
    '/** c - a * b. */',
    `export function nmadd(a: v128, b: v128, c: v128): v128 { return ${relaxed ? 'f32x4.relaxed_nmadd(a, b, c)' : 'f32x4.sub(c, f32x4.mul(a, b))'}; }`,

    '/** A and B packed; rows of C at the addresses in table `cp`, each plus `co` bytes. */',
    'export function microPacked(k: i32, a: usize, b: usize, cp: usize, co: usize, overwrite: i32): void {',
    ...accumulators,
    `  const end = a + <usize>(k * ${4 * rows});`,
    '  while (a < end) {',
    ...loadB('b'),
    ...multiply((i) => `v128.load32_splat(a, ${4 * i})`),
    `    a += ${4 * rows}; b += ${4 * columns};`,
    '  }',
    ...writeTile,

    '/** B packed, A read where it lies: `runs` stretches of `length` floats; between them A and B advance by so many bytes more. */',
    'export function microRows(runs: i32, length: i32, aStep: usize, bStep: usize, ap: usize, b: usize, cp: usize, co: usize, overwrite: i32): void {',
    ...accumulators,
    ...lines.map((i) => `  let r${i} = <usize>load<u32>(ap, ${4 * i});`),
    '  for (; runs > 0; runs--) {',
    `  const end = b + <usize>(length * ${4 * columns});`,
    '  while (b < end) {',
    ...loadB('b'),
    ...multiply((i) => `v128.load32_splat(r${i})`),
    ...lines.map((i) => `    r${i} += 4;`),
    `    b += ${4 * columns};`,
    '  }',
    ...lines.map((i) => `  r${i} += aStep;`),
    '  b += bStep;',
    '  }',
    ...writeTile,

    '/** C = A^T B, both read where they lie: row k of A at address k of table `at` plus `ao`, of B at that of `bt` plus `bo`. */',
    'export function microColumns(k: i32, at: usize, ao: usize, bt: usize, bo: usize, cp: usize, co: usize, overwrite: i32): void {',
    ...accumulators,
    '  const end = at + <usize>(k * 4);',
    '  while (at < end) {',
    '    const a = <usize>load<u32>(at) + ao, b = <usize>load<u32>(bt) + bo;',
    ...loadB('b'),
    ...multiply((i) => `v128.load32_splat(a, ${4 * i})`),
    '    at += 4; bt += 4;',
    '  }',
    ...writeTile,

    '/** B packed; row i of A lies i * aStep bytes behind `a` and has k floats; row i of C i * cStep behind `c`. */',
    'export function microTiles(k: i32, a: usize, aStep: usize, b: usize, c: usize, cStep: usize, overwrite: i32): void {',
    ...accumulators,
    '  let r0 = a;',
    ...lines.slice(1).map((i) => `  let r${i} = r${i - 1} + aStep;`),
    '  const end = a + <usize>(k * 4);',
    '  while (r0 < end) {',
    ...loadB('b'),
    ...multiply((i) => `v128.load32_splat(r${i})`),
    ...lines.map((i) => `    r${i} += 4;`),
    `    b += ${4 * columns};`,
    '  }',
    ...writeRows('c', 'cStep'),

    '/** C = A^T B: rows k of A and B lie so many bytes apart; row i of C i * cStep behind `c`. */',
    'export function microSums(k: i32, a: usize, aStep: usize, b: usize, bStep: usize, c: usize, cStep: usize, overwrite: i32): void {',
    ...accumulators,
    '  for (; k > 0; k--) {',
    ...loadB('b'),
    ...multiply((i) => `v128.load32_splat(a, ${4 * i})`),
    '    a += aStep; b += bStep;',
    '  }',
    ...writeRows('c', 'cStep'),

    ...packRows(rows, at),
    ...packColumns(rows),

    ...multiplyAddLoop(fma),
  ]
    .join('\n')
    .concat('\n');
}

/** As many chains as fill the registers. */
const CHAINS = 14;

/** @returns {string[]} */
function multiplyAddLoop(fma) {
  return [
    `export const CHAINS: i32 = ${CHAINS};`,
    '/** Multiply-adds in chains that wait for nothing but themselves; the results go to `out`, which has room for them. */',
    'export function multiplyAdds(repetitions: i32, out: usize): void {',
    '  const x = v128.load32_splat(out), y = v128.load32_splat(out, 4);',
    ...range(CHAINS).map((i) => `  let c${i} = v128.load(out, ${16 * i});`),
    '  for (let i = 0; i < repetitions; i++) {',
    ...range(CHAINS).map((i) => `    c${i} = ${fma(`c${i}`, 'x', 'y')};`),
    '  }',
    ...range(CHAINS).map((i) => `  v128.store(out, c${i}, ${16 * i});`),
    '}',
  ];
}

/** @returns {string[]} */
function packRows(rows, at) {
  const low = (x, y) => `v128.shuffle<f32>(${x}, ${y}, 0, 4, 1, 5)`;
  const high = (x, y) => `v128.shuffle<f32>(${x}, ${y}, 2, 6, 3, 7)`;
  const out = [
    '/** A^T in panels: n floats from each of the row addresses in table `rp` plus `ro`, interleaved. */',
    'export function packRows(n: i32, rp: usize, ro: usize, d: usize): void {',
    ...range(rows).map((i) => `  let r${i} = ${at('rp', i, 'ro')};`),
    '  let k = 0;',
    '  for (; k + 4 <= n; k += 4) {',
    ...range(rows).map((i) => `    const v${i} = v128.load(r${i}); r${i} += 16;`),
  ];
  let i = 0;
  for (; i + 4 <= rows; i += 4) {
    out.push(`    { const x0 = ${low(`v${i}`, `v${i + 1}`)}, x1 = ${high(`v${i}`, `v${i + 1}`)};`);
    out.push(`      const y0 = ${low(`v${i + 2}`, `v${i + 3}`)}, y1 = ${high(`v${i + 2}`, `v${i + 3}`)};`);
    ['x0, y0, 0, 1, 4, 5', 'x0, y0, 2, 3, 6, 7', 'x1, y1, 0, 1, 4, 5', 'x1, y1, 2, 3, 6, 7'].forEach((lanes, k) => {
      out.push(`      v128.store(d, v128.shuffle<f32>(${lanes}), ${4 * (k * rows + i)});`);
    });
    out.push('    }');
  }
  for (; i + 2 <= rows; i += 2) {
    out.push(`    { const x0 = ${low(`v${i}`, `v${i + 1}`)}, x1 = ${high(`v${i}`, `v${i + 1}`)};`);
    for (const k of range(4)) out.push(`      v128.store64_lane(d, x${k >> 1}, ${k & 1}, ${4 * (k * rows + i)});`);
    out.push('    }');
  }
  for (; i < rows; i++)
    for (const k of range(4)) out.push(`    v128.store32_lane(d, v${i}, ${k}, ${4 * (k * rows + i)});`);
  out.push(`    d += ${16 * rows};`, '  }', '  for (; k < n; k++) {');
  for (const r of range(rows)) out.push(`    store<f32>(d, load<f32>(r${r}), ${4 * r}); r${r} += 4;`);
  out.push(`    d += ${4 * rows};`, '  }', '}');
  return out;
}

/** @returns {string[]} */
function packColumns(rows) {
  const out = [
    '/** A in panels: `rows` consecutive floats from each of the n row addresses in table `rp` plus `ro`. */',
    'export function packColumns(n: i32, rp: usize, ro: usize, d: usize): void {',
    `  for (let k = 0; k < n; k++, d += ${4 * rows}, rp += 4) {`,
    '    const s = <usize>load<u32>(rp) + ro;',
  ];
  let i = 0;
  for (; i + 4 <= rows; i += 4) out.push(`    v128.store(d, v128.load(s, ${4 * i}), ${4 * i});`);
  for (; i + 2 <= rows; i += 2) out.push(`    store<u64>(d, load<u64>(s, ${4 * i}), ${4 * i});`);
  for (; i < rows; i++) out.push(`    store<f32>(d, load<f32>(s, ${4 * i}), ${4 * i});`);
  return [...out, '  }', '}'];
}
