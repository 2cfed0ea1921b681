import { expect, it } from 'vitest';
import { checkSameOnRanks, type World } from './index.ts';

/** What each rank of a world would say of its settings, as the first sees it. */
function check(settings: readonly Record<string, unknown>[]): void {
  const texts = settings.map((one) => new TextEncoder().encode(JSON.stringify(one)));
  let exchanges = 0;
  const world = {
    rank: 0,
    size: texts.length,
    allGather(part, whole) {
      const lengths = exchanges++ === 0;
      for (const [rank, text] of texts.entries()) {
        whole.set(lengths ? [text.length] : text, rank * part.length);
      }
    },
  } as World;
  checkSameOnRanks(world, 'train', settings[0] as Record<string, unknown>);
}

it('is content with the same settings', () => {
  const settings = { seed: 1, images: 'größer', chain: ['a', 2] };
  check([settings, { ...settings }, { ...settings }]);
  check([settings]);
});

it('names what differs, and where', () => {
  const settings = { seed: 1, batchSize: 32, names: ['a'.repeat(100)] };
  expect(() =>
    check([settings, settings, { ...settings, seed: 2 }, { ...settings, seed: 2 }, { ...settings, seed: 'x' }]),
  ).toThrowErrorMatchingInlineSnapshot(
    `[Error: train: all ranks must have the same settings, but seed is 2 on ranks 2, 3 and 1 on rank 0; seed is "x" on rank 4 and 1 on rank 0. Start all ranks with the same command, data and versions.]`,
  );
  expect(() => check([settings, { seed: 1, batchSize: 16 }])).toThrowErrorMatchingInlineSnapshot(
    `[Error: train: all ranks must have the same settings, but batchSize is 16 on rank 1 and 32 on rank 0; names is nothing on rank 1 and ["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa... on rank 0. Start all ranks with the same command, data and versions.]`,
  );
  expect(() => check([{}, { clipNorm: 1 }])).toThrowErrorMatchingInlineSnapshot(
    `[Error: train: all ranks must have the same settings, but clipNorm is 1 on rank 1 and nothing on rank 0. Start all ranks with the same command, data and versions.]`,
  );
});
