import { expectClose } from '@tfjs-ssl/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { minimize } from './minimize.ts';

const options = { tolerance: 1e-8, maxIterations: 500, noise: 0 };

describe('minimize', () => {
  it('finds the minimum of badly scaled quadratics', async () => {
    const exponents = fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(exponents, async (powers) => {
        const curvatures = powers.map((power) => 10 ** power);
        const minimum = await minimize(
          async (x) => ({
            value: curvatures.reduce((sum, c, i) => sum + 0.5 * c * ((x[i] as number) - i - 1) ** 2, 0),
            gradient: Float64Array.from(curvatures, (c, i) => c * ((x[i] as number) - i - 1)),
          }),
          new Float64Array(powers.length),
          options,
        );
        expect(minimum.converged).toBe(true);
        await expectClose(
          minimum.point,
          powers.map((_, i) => i + 1),
          { atol: 1e-6 },
        );
      }),
      { numRuns: 50 },
    );
  });

  it('finds the minimum of a function that is flat on one side and steep on the other', async () => {
    // exp(x) - 0.001 x: its slope is nearly constant left of 0; from 5 the first steps overshoot.
    for (const start of [-30, 5, 20]) {
      const minimum = await minimize(
        async ([x]) => ({
          value: Math.exp(x as number) - 0.001 * (x as number),
          gradient: Float64Array.of(Math.exp(x as number) - 0.001),
        }),
        Float64Array.of(start),
        options,
      );
      expect(minimum.converged).toBe(true);
      expect(minimum.point[0]).toBeCloseTo(Math.log(0.001), 4);
    }
  });

  it('reports its iterations, whose values only fall, and stops at the limit', async () => {
    const values: number[] = [];
    const minimum = await minimize(
      async (x) => ({ value: x.reduce((sum, v) => sum + v ** 4, 0), gradient: x.map((v) => 4 * v ** 3) }),
      Float64Array.of(3, -2, 1),
      { ...options, maxIterations: 4, onIteration: ({ value }) => values.push(value) },
    );
    expect(minimum).toMatchObject({ converged: false, iterations: 4, value: values[3] });
    expect(values).toEqual(values.toSorted((a, b) => b - a));
  });

  it('stops, and says so, where the objective contradicts its gradient', async () => {
    const minimum = await minimize(
      async ([x]) => ({ value: -(x as number), gradient: Float64Array.of(1) }),
      Float64Array.of(0),
      options,
    );
    expect(minimum).toMatchObject({ converged: false, iterations: 0 });
  });
});
