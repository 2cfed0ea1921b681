import { describe, expect, it } from 'vitest';
import { requireSameWork } from './pytorch-step.ts';

const rival = { parameters: 100, firstLoss: { contiguous: 4.0001, channels_last: 3.9999 } };

describe('requireSameWork', () => {
  it('accepts losses that differ by rounding', () => {
    requireSameWork({ parameters: 100, firstLoss: 4 }, rival);
  });

  it('refuses another network', () => {
    expect(() => requireSameWork({ parameters: 101, firstLoss: 4 }, rival)).toThrowErrorMatchingInlineSnapshot(
      `[Error: bench train-step: both must train the same network, got 101 parameters here and 100 in PyTorch.]`,
    );
  });

  it('refuses another loss, and one that is not a number', () => {
    expect(() => requireSameWork({ parameters: 100, firstLoss: 4.1 }, rival)).toThrowErrorMatchingInlineSnapshot(
      `[Error: bench train-step: the same weights and views must give the same loss, got 4.1 here and 4.0001 from PyTorch (contiguous). One of the two does not do this step.]`,
    );
    expect(() => requireSameWork({ parameters: 100, firstLoss: Number.NaN }, rival)).toThrow(/same loss/);
  });
});
