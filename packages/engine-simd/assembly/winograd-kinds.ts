// The kinds of tiles of Winograd's algorithm; `src/kernels/winograd-shape.ts` says the same to TypeScript.
//
// A kind has products of transformed tiles, factors (transformed weights, each of one or several products) and sums (of one or several products).
//
// At stride 2, outputs see two taps of every second line and one tap of the lines between: F(4, 2) with five products, and four. A line of
// nine inputs thus makes nine products. The four have one factor, which is the middle tap itself, and are added to four of the five.

/** 4x4 outputs and the 6x6 inputs that they see. */
export const TILE: i32 = 0;
/** A whole image of 2x2 with a margin of one. */
export const PAIR: i32 = 1;
/** 4x4 outputs at stride 2 and the 9x9 inputs that they see. */
export const STRIDED: i32 = 2;
/** Of the gradient of the input at stride 2: 8x8 of its pixels and the 5x5 outputs that see them. Products are not added. */
export const STRIDED_GRADIENT: i32 = 3;

/** Products of a tile. */
export function productsOf(kind: i32): i32 {
  return kind === PAIR ? 9 : kind === TILE ? 36 : 81;
}

/** Sums of products of a tile. */
export function sumsOf(kind: i32): i32 {
  return kind === STRIDED ? 25 : productsOf(kind);
}

/** The factor of product f. */
export function factorOf(kind: i32, f: i32): i32 {
  return kind < STRIDED ? f : min(f / 9, 5) * 6 + min(f % 9, 5);
}

/** Whether product f is the first of those with its factor. */
export function isFirstOfFactor(kind: i32, f: i32): bool {
  return kind < STRIDED || (f / 9 <= 5 && f % 9 <= 5);
}

/** The sum to which product f belongs. */
export function sumOf(kind: i32, f: i32): i32 {
  return kind === STRIDED ? sumOfLine(f / 9) * 5 + sumOfLine(f % 9) : f;
}

/** Whether product f is the first of its sum. */
export function isFirstOfSum(kind: i32, f: i32): bool {
  return kind !== STRIDED || (f / 9 < 5 && f % 9 < 5);
}

function sumOfLine(i: i32): i32 {
  return i < 5 ? i : i === 8 ? 4 : i - 5;
}

/** Side of the square of inputs that a tile sees. */
export function inputSide(kind: i32): i32 {
  return kind === TILE ? 6 : kind === PAIR ? 2 : kind === STRIDED ? 9 : 5;
}

/** Inputs from one tile to the next. */
export function inputStep(kind: i32): i32 {
  return kind === STRIDED ? 8 : 4;
}

/** Side of the square of outputs, which is also what lies between tiles. */
export function outputSide(kind: i32): i32 {
  return kind === PAIR ? 2 : kind === STRIDED_GRADIENT ? 8 : 4;
}
