import { expectClose } from '@tfjs-ssl/testing';
import type { RowGradients } from './float64-contrast.ts';

/** Unit roundoff of float32. */
export const ROUNDOFF = 2 ** -24;

export const temperatures = [1e-4, 1e-3, 1e-2, 0.07, 0.5, 1, 10];

/** How far float32 may be from a gradient: in proportion to the unit rows that it is a sum of. */
export async function expectRows(
  got: ArrayLike<number>,
  { gradient, scale }: RowGradients,
  error: number,
): Promise<void> {
  const columns = gradient[0]!.length;
  for (const [i, row] of gradient.entries()) {
    const own = Array.prototype.slice.call(got, i * columns, (i + 1) * columns) as number[];
    await expectClose(own, row, { atol: error * scale[i]! + 1e-37 });
  }
}

/**
 * The error of a logit. A cosine of float32 is off by some roundoffs, so logits are by as many over the temperature; the loss by that and its own
 * rounding, the probabilities in proportion, and of two logits nearer than that either may be the greater.
 */
export const errorOfLogits = (temperature: number): number => 8 * ROUNDOFF * (1 + 1 / temperature);
