/**
 * The builds of the kernels: one for each tile that is the best somewhere.
 *
 * - 4x8 fits the registers of every V8; 6x8 needs one that keeps operands in memory until they are used (V8 12 and newer does).
 * - 6x16 is for V8's re-vectoriser, which turns pairs of 128-bit vectors into 256-bit ones.
 *
 * Those marked `single` are built a second time, for one thread on a memory that is not shared; the re-vectoriser is found in Node alone, where
 * memory can always be shared.
 *
 * @type {Array<import('./generate-micro.mjs').Variant & { single: boolean }>}
 */
export const variants = [
  { name: 'plain-4x8', rows: 4, columns: 8, relaxed: false, single: true },
  { name: 'relaxed-4x8', rows: 4, columns: 8, relaxed: true, single: true },
  { name: 'relaxed-6x8', rows: 6, columns: 8, relaxed: true, single: true },
  { name: 'relaxed-6x16', rows: 6, columns: 16, relaxed: true, single: false },
];
