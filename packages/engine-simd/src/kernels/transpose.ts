import type { Runtime } from '../runtime.ts';
import { TRANSPOSE } from '../task-ids.ts';
import { ceilDiv } from './kernel.ts';

/** Matrices to be transposed, on addresses. */
interface Matrices {
  readonly batch: number;
  readonly rows: number;
  readonly columns: number;
  readonly input: number;
  readonly output: number;
}

/** [batch, rows, columns] to [batch, columns, rows]. */
export function transpose(runtime: Runtime, { batch, rows, columns, input, output }: Matrices): void {
  const block = Math.min(ceilDiv(columns, 4) * 4, Math.max(4, Math.floor(16384 / rows) & ~3));
  runtime.runOnce(batch * ceilDiv(columns, block), TRANSPOSE, input, output, rows, columns, block);
}

/** A permutation of axes as [batch, rows, columns] to [batch, columns, rows], where it is of that kind. */
export function turnedMatrices(
  shape: readonly number[],
  permutation: readonly number[],
): { batch: number; rows: number; columns: number } | null {
  const axes = permutation.filter((axis) => shape[axis] !== 1);
  const sorted = [...axes].sort((a, b) => a - b);
  let fixed = 0;
  while (fixed < axes.length && axes[fixed] === sorted[fixed]) fixed++;
  const [moved, rest] = [axes.slice(fixed), sorted.slice(fixed)];
  const turn = rest.indexOf(moved[0] ?? -1);
  const size = (list: readonly number[]) => list.reduce((product, axis) => product * shape[axis]!, 1);
  const turned = [...rest.slice(turn), ...rest.slice(0, turn)];
  if (!turned.every((axis, i) => axis === moved[i])) return null;
  return {
    batch: size(sorted.slice(0, fixed)),
    rows: size(rest.slice(0, Math.max(0, turn))),
    columns: size(rest.slice(Math.max(0, turn))),
  };
}
