const range = (n) => [...Array(n).keys()];

/** Pixels of a line that are computed at a time, and channels in pairs of vectors, which V8 joins. */
const PIXELS = 4;

/** Upper half first: V8's re-vectoriser stores the lower half twice otherwise. */
const storePair = (address, value) => `  v128.store(${address}, ${value}_1, 16); v128.store(${address}, ${value}_0);`;
const loadPair = (name, address) => `const ${name}_0 = v128.load(${address}), ${name}_1 = v128.load(${address}, 16);`;
const maddPair = (sum, a, b) =>
  range(2)
    .map((h) => `${sum}_${h} = madd(${a}_${h}, ${b}_${h}, ${sum}_${h});`)
    .join(' ');

const parameters =
  'p: usize, line: usize, w: usize, wStep: usize, wLine: usize, pixel: usize, lines: i32, to: usize, toStep: usize';

/** Eight channels of four pixels, whose windows begin `stride` pixels apart: the sum over the lines of the window. */
const tile = ([size, stride]) => [
  `function tile${size}x${stride}(${parameters}): void {`,
  ...range(PIXELS).map((i) => `  let s${i}_0 = f32x4.splat(0), s${i}_1 = s${i}_0;`),
  '  for (let t = 0; t < lines; t++, p += line, w += wLine) {',
  ...range(size).map((t) => `    ${loadPair(`w${t}`, `w + ${t} * wStep`)}`),
  ...range(PIXELS * stride - stride + size).flatMap((m) => [
    `    { ${loadPair('x', `p + ${m} * pixel`)}`,
    ...range(PIXELS)
      .filter((i) => m - i * stride >= 0 && m - i * stride < size)
      .map((i) => `      ${maddPair(`s${i}`, 'x', `w${m - i * stride}`)}`),
    '    }',
  ]),
  '  }',
  ...range(PIXELS).map((i) => storePair(`to + ${i} * toStep`, `s${i}`)),
  '}',
];

/** Windows that have a loop, with the step from one pixel's to the next; those of one and two taps are parts of larger ones. */
const tiles = [[1, 1], [2, 1], [3, 1], [5, 1], [3, 2], [5, 2]]; // biome-ignore format: a table

/** One line of the window's gradient, eight channels: sums += sum over n pixels of x dy. */
const gradient = (size) => [
  `function gradient${size}(x: usize, xStep: usize, dy: usize, pixel: usize, n: i32, sums: usize): void {`,
  ...range(size).map(
    (t) => `  let s${t}_0 = v128.load(sums + ${t} * pixel), s${t}_1 = v128.load(sums + ${t} * pixel, 16);`,
  ),
  '  for (let j = 0; j < n; j++, x += xStep, dy += pixel) {',
  `    ${loadPair('d', 'dy')}`,
  ...range(size).map((t) => `    { ${loadPair('x', `x + ${t} * pixel`)} ${maddPair(`s${t}`, 'x', 'd')} }`),
  '  }',
  ...range(size).map((t) => storePair(`sums + ${t} * pixel`, `s${t}`)),
  '}',
];

/**
 * AssemblyScript source of the inner loops of depthwise convolutions, for windows of three and of five pixels at strides of one and two.
 *
 * @returns {string}
 */
export function generateDepthwise() {
  return [
    "import { madd } from './micro';",
    `export const PIXELS: i32 = ${PIXELS};`,
    ...tiles.flatMap(tile),
    ...[3, 5].flatMap(gradient),
    `export function depthwiseTile(size: i32, stride: i32, ${parameters}): void {`,
    ...tiles.map(
      ([size, stride]) =>
        `  if (size === ${size} && stride === ${stride}) tile${size}x${stride}(p, line, w, wStep, wLine, pixel, lines, to, toStep);`,
    ),
    '}',
    'export function depthwiseGradientLine(size: i32, x: usize, xStep: usize, dy: usize, pixel: usize, n: i32, sums: usize): void {',
    '  if (size === 3) gradient3(x, xStep, dy, pixel, n, sums); else gradient5(x, xStep, dy, pixel, n, sums);',
    '}',
    '',
  ].join('\n');
}
