import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { symmetricEigenvalues } from './symmetric-eigenvalues.ts';

describe('symmetricEigenvalues', () => {
  it('equals closed forms', () => {
    const of = (matrix: number[], size: number) =>
      [...symmetricEigenvalues(Float64Array.from(matrix), size)].sort((a, b) => a - b);
    expect(of([5], 1)).toEqual([5]);
    expect(of([2, 1, 1, 2], 2)).toEqual([expect.closeTo(1, 12), expect.closeTo(3, 12)]);
    expect(of(new Array(9).fill(0), 3)).toEqual([0, 0, 0]);
    // The second difference: 2 - 2 cos(pi k / (n + 1)).
    const size = 40;
    const second = Array.from({ length: size * size }, (_, at) => {
      const distance = Math.abs(Math.floor(at / size) - (at % size));
      return distance === 0 ? 2 : distance === 1 ? -1 : 0;
    });
    const expected = Array.from({ length: size }, (_, k) => 2 - 2 * Math.cos((Math.PI * (k + 1)) / (size + 1)));
    expect(of(second, size)).toEqual(expected.map((value) => expect.closeTo(value, 12)));
  });

  it.each([
    [16, 160, 1],
    [16, 160, 1e-9],
    [3, 70, 1],
  ])('finds those of %i rows of %i columns, times %f: most are zero', (rows, columns, scale) => {
    const random = (i: number): number => scale * Math.sin(12.9898 * (i + 1) + (i % 7) ** 3);
    const a = Array.from({ length: rows * columns }, (_, i) => random(i));
    const product = (i: number, j: number, count: number, stepI: number, step: number) => {
      let sum = 0;
      for (let k = 0; k < count; k++) sum += (a[i * stepI + k * step] as number) * (a[j * stepI + k * step] as number);
      return sum;
    };
    const square = (size: number, of: (i: number, j: number) => number) =>
      [
        ...symmetricEigenvalues(
          Float64Array.from({ length: size * size }, (_, at) => of(Math.floor(at / size), at % size)),
          size,
        ),
      ].sort((x, y) => y - x);
    const ofColumns = square(columns, (i, j) => product(i, j, rows, 1, columns));
    const ofRows = square(rows, (i, j) => product(i, j, columns, columns, 1)); // the same, without the zeros
    const largest = ofRows[0] as number;
    ofColumns.forEach((value, i) => {
      expect(Math.abs(value - (ofRows[i] ?? 0)) / largest).toBeLessThan(1e-13);
    });
  });

  it('keeps trace, squares and cubes of any matrix', () => {
    const matrices = fc.integer({ min: 1, max: 9 }).chain((size) =>
      fc.record({
        size: fc.constant(size),
        values: fc.array(fc.integer({ min: -9, max: 9 }), { minLength: size * size, maxLength: size * size }),
      }),
    );
    fc.assert(
      fc.property(matrices, ({ size, values }) => {
        const at = (i: number, j: number) => values[Math.min(i, j) * size + Math.max(i, j)] as number;
        const range = Array.from({ length: size }, (_, i) => i);
        const sum = (list: number[]) => list.reduce((total, value) => total + value, 0);
        const eigenvalues = [
          ...symmetricEigenvalues(Float64Array.from(range.flatMap((i) => range.map((j) => at(i, j)))), size),
        ];
        const traces = [
          sum(range.map((i) => at(i, i))),
          sum(range.flatMap((i) => range.map((j) => at(i, j) ** 2))),
          sum(range.flatMap((i) => range.flatMap((j) => range.map((k) => at(i, j) * at(j, k) * at(k, i))))),
        ];
        traces.forEach((trace, power) => {
          expect(sum(eigenvalues.map((value) => value ** (power + 1)))).toBeCloseTo(trace, 7);
        });
      }),
    );
  });
});
