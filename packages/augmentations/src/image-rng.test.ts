import { describe, expect, it } from 'vitest';
import { imageRng } from './image-rng.ts';
import { uniformInteger, uniformPermutation } from './uniform.ts';

const key = { seed: 0, epoch: 0, image: 0, view: 0 };
const first = (changes: Partial<typeof key>, count = 4): number[] => {
  const rng = imageRng({ ...key, ...changes });
  return Array.from({ length: count }, () => rng());
};

describe('imageRng', () => {
  it('is a function of its key', () => {
    expect(first({})).toEqual(first({}));
    const others = [{ seed: 1 }, { epoch: 1 }, { image: 1 }, { view: 1 }].map((changes) => first(changes));
    expect(new Set([first({}), ...others].map(String)).size).toBe(5);
  });

  it('does not change from version to version', () => {
    expect(imageRng({ seed: 'run', epoch: 3, image: 99_999, view: 1 })()).toMatchInlineSnapshot(`0.8117765355855227`);
  });

  it('gives neighbouring keys unrelated numbers', () => {
    const cells = 16;
    const pairs = 50_000;
    for (const neighbour of ['view', 'image', 'epoch'] as const) {
      const counts = new Float64Array(cells * cells);
      for (let image = 0; image < pairs; image++) {
        const own = imageRng({ ...key, image })();
        const other = imageRng({ ...key, image, [neighbour]: { ...key, image }[neighbour] + 1 })();
        const cell = Math.floor(own * cells) * cells + Math.floor(other * cells);
        counts[cell] = (counts[cell] ?? 0) + 1;
      }
      const mean = pairs / counts.length;
      const chiSquare = counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
      // 255 degrees of freedom: mean 255, standard deviation 22.6; five of them.
      expect(Math.abs(chiSquare - 255), neighbour).toBeLessThan(5 * 22.6);
    }
  });
});

describe('uniform draws', () => {
  it('integers reach both ends and no further', () => {
    expect(uniformInteger(() => 0, 5)).toBe(0);
    expect(uniformInteger(() => 1 - 2 ** -32, 5)).toBe(4);
  });

  it('permutations are permutations, of each kind', () => {
    const rng = imageRng(key);
    const seen = new Set(Array.from({ length: 500 }, () => uniformPermutation(rng, 4).join('')));
    expect(seen.size).toBe(24);
    for (const order of seen) expect([...order].sort().join('')).toBe('0123');
  });
});
