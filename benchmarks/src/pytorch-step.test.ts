import { describe, expect, it } from 'vitest';
import { entrantsOf, type PyTorchStep, requireSameWork, type Way } from './pytorch-step.ts';

const way = (name: string, trialSeconds: number, precision: Way['precision'] = 'float32', firstLoss = 4.0001): Way => ({
  name,
  precision,
  firstLoss,
  trialSeconds,
  warmUpSeconds: 1,
});
const rival = {
  parameters: 100,
  ways: [way('contiguous, eager', 1), way('channels_last, eager, autocast', 1, 'bfloat16', 4.05)],
};

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
      `[Error: bench train-step: the same weights and views must give the same loss, got 4.1 here and 4.0001 from PyTorch (contiguous, eager). One of the two does not do this step.]`,
    );
    expect(() => requireSameWork({ parameters: 100, firstLoss: Number.NaN }, rival)).toThrow(/same loss/);
  });

  it('takes the error of bfloat16 as one of the logits, which does not shrink with the loss', () => {
    const half = (firstLoss: number) => ({ parameters: 100, ways: [way('autocast', 1, 'bfloat16', firstLoss)] });
    requireSameWork({ parameters: 100, firstLoss: 0.95 }, half(1.07));
    expect(() => requireSameWork({ parameters: 100, firstLoss: 0.95 }, half(1.2))).toThrow(/same loss/);
    expect(() => requireSameWork({ parameters: 100, firstLoss: 4.2 }, half(4.5))).toThrow(/same loss/);
  });
});

describe('entrantsOf', () => {
  const step = (version: string, ways: readonly Way[]): PyTorchStep => ({
    ...{ version, threads: 2, parameters: 1, ways, failed: {} },
    cpuSeconds: () => 0,
    time: async () => 1,
    stop: () => {},
  });

  it('takes the ways that may be the fastest of their precision, and of every version the fastest in float32', () => {
    const rivals = [
      step('1', [way('slow', 3), way('slower', 4)]),
      step('2', [
        way('fast', 1),
        way('nearly', 1.2),
        way('not', 1.3),
        way('half', 0.6, 'bfloat16'),
        way('no', 0.8, 'bfloat16'),
      ]),
    ];
    expect(entrantsOf(rivals).map(({ name }) => name)).toEqual([
      'PyTorch 1, slow',
      'PyTorch 2, fast',
      'PyTorch 2, nearly',
      'PyTorch 2, half',
    ]);
  });

  it('has none without rivals', () => {
    expect(entrantsOf([])).toEqual([]);
  });
});
