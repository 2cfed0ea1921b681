import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configDifferences, formatDifferences } from './config-differences.ts';

describe('configDifferences', () => {
  it('names what changed, came and went', () => {
    const differences = configDifferences(
      { seed: 1, head: { hidden: 256, bias: true }, sizes: [1, 2] },
      { seed: 1, head: { hidden: 512 }, sizes: [1], extra: null },
    );
    expect(formatDifferences(differences)).toMatchInlineSnapshot(`
      "  head.hidden: 256 → 512
        head.bias: true → not set
        sizes: [1,2] → [1]
        extra: not set → null"
    `);
  });

  it('finds a change of kind', () => {
    expect(configDifferences({ a: { b: 1 } }, { a: 1 })).toEqual([{ name: 'a', from: { b: 1 }, to: 1 }]);
    expect(configDifferences({ a: null }, { a: {} })).toEqual([{ name: 'a', from: null, to: {} }]);
  });

  it('finds none in what was saved and read', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (config) => {
        expect(configDifferences(config, JSON.parse(JSON.stringify(config)))).toEqual([]);
      }),
    );
  });
});
