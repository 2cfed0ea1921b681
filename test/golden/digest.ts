import { expect } from 'vitest';
import { fillUnit } from './fill.ts';
import { allowance, type GoldenGroup, tellWider } from './harness.ts';

/** A table of digests: one row for each named tensor. */
export interface DigestExpectation {
  readonly tensor: string;
  readonly rows: ReadonlyArray<{ readonly name: string; readonly shape: readonly number[]; readonly T: number }>;
  readonly rule: 'digest';
}

const LEADING = 8;

/** Norm, sum, projection, largest magnitude and first eight values (repeated where there are fewer) of a tensor: see `digest` in the golden files. */
export function digest(name: string, values: ArrayLike<number>): number[] {
  const unit = fillUnit('digest', name, values.length);
  let [squares, sum, projection, largest] = [0, 0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    squares += value * value;
    sum += value;
    projection += value * (unit[i] as number);
    largest = Math.max(largest, Math.abs(value));
  }
  const leading = Array.from({ length: LEADING }, (_, i) => values[i % Math.min(LEADING, values.length)] as number);
  return [Math.sqrt(squares), sum, projection, largest, ...leading];
}

/** Asserts that tensors meet a table of digests, every row of it. */
export function expectDigests(
  group: GoldenGroup,
  what: string,
  got: Readonly<Record<string, ArrayLike<number>>>,
  expectation: DigestExpectation,
): void {
  const { data, shape } = group.tensor(expectation.tensor);
  const width = shape[1] as number;
  const problems: string[] = [];
  const allowed = allowance();
  let needed = 1;
  expectation.rows.forEach(({ name, shape: expectedShape, T }, row) => {
    const values = got[name];
    const count = expectedShape.reduce((product, size) => product * size, 1);
    if (values?.length !== count) {
      problems.push(`${name} has ${values?.length ?? 'no'} values, expected ${count}`);
      return;
    }
    const [norm, ...others] = Array.from(data.slice(row * width, (row + 1) * width)) as [number, ...number[]];
    const tight = T * norm;
    const loose = tight * Math.sqrt(count);
    const expected = [norm, ...others];
    digest(name, values).forEach((value, column) => {
      const tolerance = column === 1 || column === 2 ? loose : tight;
      const difference = Math.abs(value - (expected[column] as number));
      if (difference <= tolerance) return;
      needed = Math.max(needed, difference / tolerance);
      if (!(difference <= allowed * tolerance)) {
        problems.push(`${name} column ${column} is ${value}, expected ${expected[column]} within ${tolerance}`);
      }
    });
  });
  if (needed > 1) tellWider(what, needed);
  if (problems.length > 0) {
    expect.fail(`${what}: ${problems.length} digest values are off: ${problems.slice(0, 8).join('; ')}`);
  }
}
