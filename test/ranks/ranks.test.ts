import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { tensorflowEngine } from '@tfjs-ssl/engine-tensorflow';
import { bundleRank, describeLaunchers, runRanks } from '@tfjs-ssl/testing/mpi-jobs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BranchOutcome, BranchTask } from './branches-rank.ts';
import { expectSameStep, relativeNorm } from './compare.ts';
import type { GatherOutcome, GatherTask } from './gather-rank.ts';
import { threadSeats } from './thread-world.ts';
import type { RankOutcome, RankTask } from './train-rank.ts';

const folder = mkdtempSync(join(tmpdir(), 'tfjs-ssl-ranks-'));
// beside the engine's wasm folder, where its bundled code looks for it
const place = mkdtempSync(fileURLToPath(new URL('../../packages/engine-simd/.rank-', import.meta.url)));
afterAll(() => {
  for (const made of [folder, place]) rmSync(made, { recursive: true, force: true });
});
let training: string;
let gathering: string;
let branches: string;
beforeAll(async () => {
  [training, gathering, branches] = await Promise.all([
    bundleRank(new URL('./train-rank.ts', import.meta.url), place),
    bundleRank(new URL('./gather-rank.ts', import.meta.url), place),
    bundleRank(new URL('./branches-rank.ts', import.meta.url), place),
  ]);
});

let files = 0;
const newFile = (): string => join(folder, `${files++}.json`);

/** Runs a program on so many threads; throws what all threads have thrown, or the first error. */
async function onThreads<Outcome>(program: string, ranks: number, given: object): Promise<Outcome> {
  const out = newFile();
  const ended = threadSeats(ranks).map((seat) => {
    const worker = new Worker(program, { workerData: { ...seat, task: { ...given, out } } });
    return new Promise<string | null>((resolve) => {
      worker.on('error', (error) => resolve(error.message)).on('exit', () => resolve(null));
    });
  });
  const messages = await Promise.all(ended);
  const [message] = messages;
  if (message) {
    expect(messages).toEqual(Array(ranks).fill(message));
    throw new Error(message);
  }
  expect(messages).toEqual(Array(ranks).fill(null));
  return JSON.parse(readFileSync(out, 'utf8'));
}
const train = (ranks: number, task: Omit<RankTask, 'out'>) => onThreads<RankOutcome>(training, ranks, task);
const gather = (ranks: number, task: Omit<GatherTask, 'out'>) => onThreads<GatherOutcome>(gathering, ranks, task);

describe.each(['cpu', 'simd'])('Ranks on %s', (engine) => {
  it.each([
    [2, 2, 1],
    [4, 2, 1],
    [2, 3, 1],
    [4, 2, 0],
  ])(
    '%i of them get the gradient of one through gathered rows of %i views and batch norm',
    async (ranks, views, even) => {
      const whole = { engine, images: 8, views };
      // what all ranks' losses give to a row counts, however much each does
      const weights = Array.from({ length: ranks }, (_, rank) => (even ? 1 : 0.4 * (rank + 1)));
      const many = await gather(ranks, { ...whole, weights });
      const one = await gather(1, { ...whole, weights: [1] });
      expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(ranks, 12);
      const { loss, ...arrays } = many;
      const { loss: expected, ...others } = one;
      expect(Math.abs(loss / expected - 1)).toBeLessThan(1e-6);
      for (const name of Object.keys(others) as (keyof typeof others)[]) {
        expect(relativeNorm({ [name]: arrays[name] }, { [name]: others[name] }), name).toBeLessThan(1e-6);
      }
    },
  );

  it('train two layers as one does', async () => {
    const task = { engine, encoder: 'two layers', steps: 4 } as const;
    const one = await train(1, task);
    for (const ranks of [2, 4]) expectSameStep(await train(ranks, task), one);
  });
});

describe('Ranks', () => {
  const engine = 'simd';
  const encoder = 'two layers';

  it('train a ResNet-18 as one does', async () => {
    const task = { engine, encoder: 'resnet18', steps: 1 } as const;
    const one = await train(1, task);
    // twenty layers of batch norm enlarge roundings: from float64, 1 rank is away by 9.5e-6, 2 by 8.4e-6, PyTorch in float32 by 7.4e-6
    for (const ranks of [2, 4]) expectSameStep(await train(ranks, task), one, 2e-5);
  });

  it('stay together for 20 steps', async () => {
    const [one, two] = [await train(1, { engine, encoder, steps: 20 }), await train(2, { engine, encoder, steps: 20 })];
    expect(two.losses).toHaveLength(20);
    const largest = Math.max(...two.losses.map((loss, step) => Math.abs(loss / (one.losses[step] as number) - 1)));
    if (process.env.SHOW_DEVIATIONS) console.log(`largest deviation of a loss in 20 steps: ${largest}`);
    expect(largest).toBeLessThan(1e-3);
    expect(relativeNorm(two.variables, one.variables)).toBeLessThan(1e-2);
  });

  it.each(['moco', 'byol', 'swav', 'dino'] as const)('train %s as one does', async (method) => {
    const task: Omit<BranchTask, 'out'> = { method, steps: 6 };
    const one = await onThreads<BranchOutcome>(branches, 1, task);
    const two = await onThreads<BranchOutcome>(branches, 2, task);
    expect(new Set(one.losses).size).toBe(6);
    const largest = Math.max(...two.losses.map((loss, step) => Math.abs(loss / (one.losses[step] as number) - 1)));
    const variables = relativeNorm(two.variables, one.variables);
    if (process.env.SHOW_DEVIATIONS) console.log(JSON.stringify({ method, largest, variables }));
    expect(two.losses).toHaveLength(6);
    expect(largest).toBeLessThan(1e-4); // 3.5e-6 at most
    expect(variables).toBeLessThan(1e-4); // 7.8e-6
  });

  it('exchange gradients as bfloat16 if asked to', async () => {
    const [full, half] = [
      await train(4, { engine, encoder, steps: 4 }),
      await train(4, { engine, encoder, steps: 4, gradientExchange: 'bfloat16' }),
    ];
    expect(half.losses[0]).toBe(full.losses[0]);
    const deviation = relativeNorm(half.gradients, full.gradients);
    expect(deviation).toBeGreaterThan(1e-4);
    expect(deviation).toBeLessThan(2 ** -8);
  });

  it('normalise with their own part if asked to, and average running statistics', async () => {
    const [one, own] = [
      await train(1, { engine, encoder, steps: 4 }),
      await train(2, { engine, encoder, steps: 4, batchStatistics: 'rank' }),
    ];
    expect(relativeNorm(own.gradients, one.gradients)).toBeGreaterThan(1e-3);
    // the first layer sees the images: its mean of means is that of all
    const [name] = Object.keys(one.statistics).filter((key) => /encoder\.1\.running_mean/.test(key)) as [string];
    expect(
      relativeNorm({ [name]: own.statistics[name] as number[] }, { [name]: one.statistics[name] as number[] }),
    ).toBeLessThan(1e-6);
  });

  it('stop after the same step if one of them is asked to', async () => {
    const { stepsDone, losses } = await train(2, { engine, encoder, steps: 8, stops: { rank: 1, after: 3 } });
    expect(stepsDone).toBe(3);
    expect(losses).toHaveLength(3);
  });

  it.each([
    [
      'seed',
      /^imageFeed: all ranks must have the same settings, but seed is 6 on rank 1 and 5 on rank 0\. Start all ranks/,
    ],
    [
      'learning rate',
      /^Trainer: all ranks must have the same settings, but optimizer is .*0\.8.* on rank 1 and .*0\.9.* on rank 0/,
    ],
    ['batch size', /^imageFeed: all ranks must have the same settings, but batchSize is 4 on rank 1 and 16 on rank 0/],
    [
      'buffer',
      /^Trainer: all ranks must hold the same weights, got others than those of rank 0 on rank 1: model\.odd\./,
    ],
  ] as const)('end with one message on all of them if one has another %s', async (odd, message) => {
    await expect(train(2, { engine, encoder, steps: 4, odd })).rejects.toThrow(message);
  });
});

const tensorflow = await tensorflowEngine.probe();

describeLaunchers('Ranks that are processes', (launcher) => {
  /** Trains two layers as a job. */
  const job = async (ranks: number, engine: string): Promise<RankOutcome> => {
    const task: RankTask = { engine, encoder: 'two layers', steps: 4, out: newFile() };
    // tfjs-node calls functions that Node 24 warns of
    const ended = await runRanks(launcher, ranks, ['--no-deprecation', training, JSON.stringify(task)]);
    expect(ended).toEqual({ code: 0, output: '', errors: '' });
    return JSON.parse(readFileSync(task.out, 'utf8'));
  };

  it.each([2, 4])('%i train as one does', async (ranks) => {
    const task = { engine: 'simd', encoder: 'two layers', steps: 4 } as const;
    expectSameStep(await job(ranks, task.engine), await train(1, task));
  });

  it('train on tensorflow as one does', async ({ skip }) => {
    skip(!tensorflow.available, tensorflow.available ? '' : tensorflow.reason);
    expectSameStep(await job(2, 'tensorflow'), await job(1, 'tensorflow'));
  });
});
