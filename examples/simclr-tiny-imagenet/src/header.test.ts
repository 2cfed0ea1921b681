import { expect, it } from 'vitest';
import { nodeAdvice } from './header.ts';

it('recommends Node 24 if it is much faster, but not in continuous integration', () => {
  expect(nodeAdvice('simd', '20.19.0', {})).toMatchInlineSnapshot(`
    [
      "Node 24 is about 1.8 times as fast on this engine.",
    ]
  `);
  expect(nodeAdvice('simd', '20.19.0', { CI: 'false' })).toHaveLength(1);
  for (const [engine, node, environment] of [
    ['simd', '24.0.0', {}],
    ['simd', '22.12.0', {}],
    ['webgpu', '20.19.0', {}],
    ['simd', '20.19.0', { CI: 'true' }],
  ] as const) {
    expect(nodeAdvice(engine, node, environment)).toEqual([]);
  }
});
