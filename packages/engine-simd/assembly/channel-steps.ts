// Sixteen channels, in four vectors, are computed at a time where channels are the innermost axis.

/** Bytes of a step. */
export const STEP: usize = 64;

/** Stores so many bytes of four vectors: never one more, as what follows may belong to another task. */
export function storeStep(to: usize, bytes: usize, s0: v128, s1: v128, s2: v128, s3: v128): void {
  if (bytes === STEP) {
    v128.store(to, s1, 16);
    v128.store(to, s0);
    v128.store(to, s3, 48);
    v128.store(to, s2, 32);
    return;
  }
  let rest = s0;
  if (bytes >= 16) {
    v128.store(to, s0);
    rest = s1;
  }
  if (bytes >= 32) {
    v128.store(to, s1, 16);
    rest = s2;
  }
  if (bytes >= 48) {
    v128.store(to, s2, 32);
    rest = s3;
  }
  const at = to + (bytes & ~15);
  const left = bytes & 15;
  if (left >= 4) v128.store32_lane(at, rest, 0);
  if (left >= 8) v128.store32_lane(at, rest, 1, 4);
  if (left >= 12) v128.store32_lane(at, rest, 2, 8);
}
