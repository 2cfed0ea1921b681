/** What a run of a program does at least: for profiles, beside what the device reaches. */
export interface Work {
  /** Floating-point operations of products, a multiply-add being two; others are not counted. Default: 0. */
  readonly flops?: number;
  /** Bytes read and written. Default: those of all that is bound, once, and twice where variables change in place. */
  readonly bytes?: number;
  /** Where the operations are done. Default: `'multiplyAdd'`. */
  readonly unit?: 'multiplyAdd' | 'matrix';
}
