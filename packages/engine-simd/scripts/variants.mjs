/**
 * The builds of the kernels: one for each tile that is the best somewhere.
 *
 * - 4x8 fits the registers of every V8; 6x8 needs one that keeps operands in memory until they are used (V8 12 and newer does).
 * - 6x16 is for V8's re-vectoriser, which turns pairs of 128-bit vectors into 256-bit ones.
 *
 * @type {import('./generate-micro.mjs').Variant[]}
 */
export const variants = [
  { name: 'plain-4x8', rows: 4, columns: 8, relaxed: false },
  { name: 'relaxed-4x8', rows: 4, columns: 8, relaxed: true },
  { name: 'relaxed-6x8', rows: 6, columns: 8, relaxed: true },
  { name: 'relaxed-6x16', rows: 6, columns: 16, relaxed: true },
];
