import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { currentEngine, startEngine } from '@tfjs-ssl/engine';
import { bundleRank, describeLaunchers, type MpiJob, runRanks } from '@tfjs-ssl/testing/mpi-jobs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectSameStep, relativeNorm } from '../ranks/compare.ts';
import type { RankOutcome, RankTask } from '../ranks/train-rank.ts';

process.env.TFJS_SSL_SOFTWARE_GPU ??= '1';

const folder = mkdtempSync(join(tmpdir(), 'tfjs-ssl-ranks-'));
// beside the wasm folder of `simd`, where its bundled code looks for it
const place = mkdtempSync(fileURLToPath(new URL('../../packages/engine-simd/.rank-', import.meta.url)));
afterAll(() => {
  for (const made of [folder, place]) rmSync(made, { recursive: true, force: true });
});
let training: string;
beforeAll(async () => {
  training = await bundleRank(new URL('../ranks/train-rank.ts', import.meta.url), place);
  await startEngine('webgpu');
  console.log(`ranks on ${currentEngine().device}`);
});

/** What ranks can do on an engine that records its steps. */
const apart = { encoder: 'two layers', steps: 8, batchStatistics: 'rank', negatives: 'rank' } as const;

describeLaunchers('Ranks on webgpu', (launcher) => {
  const out = join(folder, `${launcher.name}.json`);
  const run = (ranks: number, task: Partial<RankTask>): Promise<MpiJob> =>
    runRanks(launcher, ranks, [training, JSON.stringify({ engine: 'webgpu', ...apart, ...task, out })]);
  const train = async (ranks: number, task: Partial<RankTask> = {}): Promise<RankOutcome> => {
    const { code, output, errors } = await run(ranks, task);
    // a software driver warns of those that are missing
    expect({ code, output, errors: code === 0 ? '' : errors }).toEqual({ code: 0, output: '', errors: '' });
    return JSON.parse(readFileSync(out, 'utf8'));
  };
  let replayed: RankOutcome;
  beforeAll(async () => {
    replayed = await train(2);
  });

  it('train as ranks on simd do that compare and normalise their own images', async () => {
    const [one, two] = [await train(1, { engine: 'simd' }), await train(2, { engine: 'simd' })];
    expectSameStep(replayed, two, 1e-5);
    expect(replayed.losses).toHaveLength(8);
    const deviations = replayed.losses.map((loss, step) => Math.abs(loss / (two.losses[step] as number) - 1));
    const variables = relativeNorm(replayed.variables, two.variables);
    if (process.env.SHOW_DEVIATIONS) console.log(JSON.stringify({ deviations, variables }));
    expect(Math.max(...deviations)).toBeLessThan(1e-4);
    expect(variables).toBeLessThan(5e-4); // 5.2e-5
    expect(relativeNorm(replayed.gradients, one.gradients), 'not those of one process').toBeGreaterThan(1e-2);
  });

  it('replay what eager steps do, and resume exactly', async () => {
    // the first step of a trainer runs eagerly, the second is recorded
    expect(await train(2, { resumeAfter: [1, 2, 3, 5] })).toEqual(replayed);
    expect(new Set(replayed.losses).size).toBe(8);
  });

  it('exchange gradients as bfloat16 if asked to', async () => {
    const half = await train(2, { steps: 2, gradientExchange: 'bfloat16' });
    expect(half.losses[0]).toBe(replayed.losses[0]);
    const deviation = relativeNorm(half.gradients, replayed.gradients);
    expect(deviation).toBeGreaterThan(1e-4);
    expect(deviation).toBeLessThan(2 ** -8);
  });

  it('skip a step together if the gradients of one overflow, in mixed precision', async ({ skip }) => {
    skip(!currentEngine().precisions.includes('mixed'), 'this device has no mixed precision');
    const mixed = await train(2, { precision: 'mixed' });
    expect(mixed.skipped).toEqual(Array(8).fill(false));
    expect(Math.abs((mixed.losses[0] as number) / (replayed.losses[0] as number) - 1)).toBeLessThan(1e-2);
    const overflowing = await train(2, { precision: 'mixed', odd: 'overflow' });
    expect(overflowing.skipped).toEqual(Array(8).fill(true));
    expect(
      Object.values(overflowing.gradients)
        .flat()
        .every((momentum) => momentum === 0),
    ).toBe(true);
    expect(overflowing.variables['lossScale.factor']).toEqual([2 ** 8]);
  });

  it.each([
    [
      'statistics of all ranks',
      { batchStatistics: 'batch' },
      "Trainer: batchStatistics must be 'rank' in a world of 2 ranks on the engine 'webgpu', which records its steps, got 'batch'. Set batchStatistics: 'rank', and leave gatherViews out of the loss; or start 'simd'.",
    ],
    [
      'rows of all ranks',
      { negatives: undefined },
      "gatherViews: ranks must be able to exchange rows within the step, got the engine 'webgpu', which records it. Leave gatherViews out, so that each rank compares the images of its own part, or start 'simd'.",
    ],
  ] as const)('refuse %s', async (_, task, message) => {
    const { code, errors } = await run(2, task as Partial<RankTask>);
    expect(code).not.toBe(0);
    expect(errors).toContain(message);
  });
});
