const range = (n) => [...Array(n).keys()];
const add = (a, b) => `f32x4.add(${a}, ${b})`;
const sub = (a, b) => `f32x4.sub(${a}, ${b})`;

/** B^T x of F(2x2, 3x3) for one vector of four. */
const inputRow = ([o0, o1, o2, o3], [x0, x1, x2, x3]) => [
  `  const ${o0} = ${sub(x0, x2)};`,
  `  const ${o1} = ${add(x1, x2)};`,
  `  const ${o2} = ${sub(x2, x1)};`,
  `  const ${o3} = ${sub(x1, x3)};`,
];

/** G g of F(2x2, 3x3) for one vector of three; `t` names temporaries. */
const weightRow = ([o0, o1, o2, o3], [g0, g1, g2], t) => [
  `  const ${t} = f32x4.mul(half, ${add(g0, g2)}), ${t}m = f32x4.mul(half, ${g1});`,
  `  const ${o0} = ${g0}, ${o1} = ${add(t, `${t}m`)}, ${o2} = ${sub(t, `${t}m`)}, ${o3} = ${g2};`,
];

/**
 * AssemblyScript source of the transforms of Winograd's F(2x2, 3x3), unrolled, on four channels at a time.
 *
 * @returns {string}
 * @see Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016), section 4.1.
 */
export function generateWinograd() {
  return [
    '/** V = B^T d B: d from 16 addresses in table `ip` plus `offset`; V to 16 places `step` bytes apart. */',
    'export function transformInput(ip: usize, offset: usize, d: usize, step: usize): void {',
    ...range(16).map((k) => `  const d${k} = v128.load(<usize>load<u32>(ip, ${4 * k}) + offset);`),
    ...range(4).flatMap((j) =>
      inputRow(
        range(4).map((i) => `t${i}${j}`),
        range(4).map((i) => `d${4 * i + j}`),
      ),
    ),
    ...range(4).flatMap((i) => [
      ...inputRow(
        range(4).map((j) => `v${i}${j}`),
        range(4).map((j) => `t${i}${j}`),
      ),
      ...range(4).map((j) => `  v128.store(d + ${4 * i + j} * step, v${i}${j});`),
    ]),
    '}',
    '/** Y = A^T M A: M from 16 places `step` bytes apart; Y to 4 addresses in table `op` plus `offset`. */',
    'export function transformOutput(m: usize, step: usize, op: usize, offset: usize): void {',
    ...range(16).map((k) => `  const m${k} = v128.load(m + ${k} * step);`),
    ...range(4).flatMap((j) => [
      `  const s0${j} = ${add(add(`m${j}`, `m${4 + j}`), `m${8 + j}`)};`,
      `  const s1${j} = ${sub(sub(`m${4 + j}`, `m${8 + j}`), `m${12 + j}`)};`,
    ]),
    ...range(2).flatMap((i) => [
      `  v128.store(<usize>load<u32>(op, ${8 * i}) + offset, ${add(add(`s${i}0`, `s${i}1`), `s${i}2`)});`,
      `  v128.store(<usize>load<u32>(op, ${8 * i + 4}) + offset, ${sub(sub(`s${i}1`, `s${i}2`), `s${i}3`)});`,
    ]),
    '}',
    '/** U = G g G^T: g from 9 places `gStep` bytes apart; U to 16 places `step` bytes apart. */',
    'export function transformWeights(g: usize, gStep: usize, d: usize, step: usize): void {',
    '  const half = f32x4.splat(0.5);',
    ...range(9).map((k) => `  const g${k} = v128.load(g + ${k} * gStep);`),
    ...range(3).flatMap((j) =>
      weightRow(
        range(4).map((i) => `t${i}${j}`),
        range(3).map((i) => `g${3 * i + j}`),
        `a${j}`,
      ),
    ),
    ...range(4).flatMap((i) => [
      ...weightRow(
        range(4).map((j) => `u${i}${j}`),
        range(3).map((j) => `t${i}${j}`),
        `b${i}`,
      ),
      ...range(4).map((j) => `  v128.store(d + ${4 * i + j} * step, u${i}${j});`),
    ]),
    '}',
  ]
    .join('\n')
    .concat('\n');
}
