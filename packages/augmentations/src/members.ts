import type { ImageSize } from './check.ts';
import type { Rng } from './image-rng.ts';
import type { Parameters, Transform } from './transform.ts';

/** A transform in its place in a chain. */
export interface Member {
  readonly transform: Transform;
  /** Names of its columns in the chain. */
  readonly columns: readonly string[];
  /** Number of the first of them. */
  readonly begin: number;
}

/** Gives the transforms of a chain their columns, one after the other. */
export function placeColumns(transforms: readonly Transform[]): Member[] {
  const seen = new Map<string, number>();
  let begin = 0;
  return transforms.map((transform) => {
    const times = (seen.get(transform.name) ?? 0) + 1;
    seen.set(transform.name, times);
    // a number where another one before it has the same name
    const label = times === 1 ? transform.name : `${transform.name}${times}`;
    const member = { transform, columns: transform.columns.map((column) => `${label}.${column}`), begin };
    begin += transform.columns.length;
    return member;
  });
}

/** Draws the numbers of one view into a row of a table that begins at `offset`. */
export function sampleInto(
  members: readonly Member[],
  values: Float32Array,
  offset: number,
  rng: Rng,
  size: ImageSize,
): void {
  let current = size;
  for (const { transform, begin } of members) {
    writeNumbers(values, offset + begin, transform, transform.sample(rng, current));
    current = transform.outputSize(current);
  }
}

/** Writes the numbers of one transform. */
export function writeNumbers(values: Float32Array, offset: number, { columns }: Transform, numbers: Parameters): void {
  columns.forEach((column, i) => {
    values[offset + i] = numbers[column] as number;
  });
}
