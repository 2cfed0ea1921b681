import { expect, it } from 'vitest';
import { requireSameStart } from './whole-step-rivals.ts';

const rival = (firstLoss: Record<string, number>, parameters = 10) => ({
  name: 'resident' as const,
  hello: {
    ...{ version: '2', device: 'card', cuda: '13.0', cudnn: 9, kinds: Object.keys(firstLoss), failed: {}, firstLoss },
    ...{ parameters, warmUpSeconds: {} },
  },
});

it('allows a rival what its arithmetic explains', () => {
  const ours = { parameters: 10, firstLoss: 4 };
  requireSameStart(ours, [
    rival({ float32: 4.003, 'tf32 graphs': 4.03 }),
    rival({ float16: 3.93, 'bfloat16 compiled': 3.85 }),
  ]);
});

it.each([
  ['another loss', rival({ float32: 4.1 })],
  ['a loss that is not a number', rival({ float16: Number.NaN })],
  ['another network', rival({ float32: 4 }, 11)],
])('refuses %s', (_, other) => {
  expect(() => requireSameStart({ parameters: 10, firstLoss: 4 }, [other])).toThrowErrorMatchingSnapshot();
});
