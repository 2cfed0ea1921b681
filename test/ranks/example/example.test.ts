import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { webgpuEngine } from '@tfjs-ssl/engine-webgpu';
import { describeLaunchers, type RunningJob } from '@tfjs-ssl/testing/mpi-jobs';
import { expect, it } from 'vitest';
import { ended, folder, isBegun, metrics, small, start, startByNpm, startWithOdd, weights } from './program.ts';

/** The largest difference between the losses of two runs, relative. */
const apart = (a: string, b: string, steps: readonly number[]): number =>
  Math.max(
    ...steps.map((step) => Math.abs((metrics(a)[step]?.loss as number) / (metrics(b)[step]?.loss as number) - 1)),
  );

/** A driver that computes on the processor, where there is no GPU. */
const software = { TFJS_SSL_SOFTWARE_GPU: '1' };

/** Waits for a run to end well; software drivers warn of those that are missing. */
async function printedBy(job: RunningJob): Promise<string> {
  const { code, output, errors } = await job.ended;
  expect({ code, errors: code === 0 ? '' : errors }).toEqual({ code: 0, errors: '' });
  return output;
}

describeLaunchers('The example', (launcher) => {
  const path = (name: string) => join(folder, `${launcher.name}-${name}`.replace(' ', ''));
  const whole = path('whole');

  it('trains on two ranks as in one process, and prints and writes once', async () => {
    const one = path('one');
    await ended(start(launcher, 1, [...small, '--out', one]));
    const printed = await ended(start(launcher, 2, [...small, '--out', whole, '--threads', '1']));
    expect(printed.match(/^ {2}seed /gm)).toHaveLength(1);
    expect(printed.match(/^\[Epoch 1\] Step 0: /gm)).toHaveLength(1);
    expect(printed).toContain(`  ranks       2 on ${hostname()}, 1 thread each\n`);
    expect(metrics(whole).map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(apart(whole, one, [0])).toBeLessThan(1e-6);
    expect(apart(whole, one, [0, 1, 2, 3, 4, 5, 6, 7])).toBeLessThan(1e-2);
    const config = JSON.parse(readFileSync(join(whole, 'config.json'), 'utf8'));
    expect(config.environment.ranks).toBe('2');
  });

  it('leaves the same rows out of the blocks of an EfficientNet as one process does', async () => {
    const efficientnet = [...small, '--set', 'encoder.name=efficientnet-b0', '--set', 'encoder.width=8'];
    const [one, two] = [path('efficientnet-one'), path('efficientnet-two')];
    await ended(start(launcher, 1, [...efficientnet, '--epochs', '1', '--out', one]));
    await ended(start(launcher, 2, [...efficientnet, '--epochs', '1', '--out', two, '--threads', '1']));
    expect(apart(two, one, [0])).toBeLessThan(1e-5); // 50 layers of batch norm enlarge roundings: 1.8e-6
  });

  it('starts by npm', async () => {
    const out = path('npm');
    const { code, output, errors } = await startByNpm(launcher, 2, [...small, '--out', out, '--threads', '1']).ended;
    expect({ code, errors: errors.replaceAll(/^(Building|Built|Waiting) .*\n/gm, '') }).toEqual({
      code: 0,
      errors: '',
    });
    expect(output).toContain(`  ranks       2 on ${hostname()}`);
    expect(metrics(out)).toEqual(metrics(whole));
    expect(weights(out) === weights(whole), 'bit for bit').toBe(true);
  });

  it('goes on from a checkpoint on as many ranks bit for bit, and on others', async () => {
    for (const ranks of [2, 1, 4]) {
      const out = path(`resumed-on-${ranks}`);
      await ended(start(launcher, 2, [...small, '--epochs', '1', '--out', out]));
      const printed = await ended(start(launcher, ranks, ['--resume', out, '--epochs', '2', '--evaluate-every', '1']));
      expect(printed).toContain('at step 4 of 8');
      expect(metrics(out)).toHaveLength(8);
      if (ranks === 2) expect(weights(out) === weights(whole), 'bit for bit').toBe(true);
      else expect(printed).toMatch(/have changed[\s\S]*ranks/);
      expect(apart(out, whole, [0, 1, 2, 3, 4, 5, 6, 7])).toBeLessThan(1e-2);
    }
  });

  it('refuses what the ranks cannot divide, in one line', async () => {
    const out = path('odd-batch');
    const { code, output, errors } = await start(launcher, 3, [...small, '--out', out]).ended;
    expect(code).toBe(2);
    expect(output).not.toContain('SimCLR with');
    expect(errors.match(/--batch-size must be .*/g)).toEqual([
      '--batch-size must be a multiple of the 3 ranks, which take equal parts, got 8. Use another batch size or number of ranks.',
    ]);
    expect(isBegun(out)).toBe(false);
  });

  it('names what one rank was started with otherwise', async () => {
    const args = [...small, '--out', path('odd-seed')];
    const seed = await startWithOdd(launcher, args, { args: [...args, '--seed', '2'] }).ended;
    expect(seed.code).toBe(1);
    expect(seed.errors.match(/simclr: .*/g)).toEqual([
      'simclr: all ranks must have the same settings, but seed is 2 on rank 1 and nothing on rank 0. Start all ranks with the same command, data and versions.',
    ]);
    expect(isBegun(path('odd-seed'))).toBe(false);
  });

  it('ends as a whole with the message of a rank that fails alone', async () => {
    const args = [...small, '--out', path('failing')];
    const odd = { variables: { TINY_IMAGENET: '/no/such/images' } };
    const { code, errors } = await startWithOdd(launcher, args, odd).ended;
    expect(code).not.toBe(0);
    expect(errors.match(/^rank 1 of 2: .*\/no\/such\/images.*$/gm)).toHaveLength(1);
  });

  it('trains on the GPU engine, each rank for itself, and goes on bit for bit', async ({ skip }) => {
    const found = await webgpuEngine.probe({ softwareAdapter: true });
    skip(!found.available, found.available ? '' : found.reason);
    const { device } = await webgpuEngine.start({ softwareAdapter: true });
    skip(/swiftshader/i.test(device), 'SwiftShader compiles its shaders for minutes: take another driver');
    const onGpu = [...small, '--engine', 'webgpu'];
    const [unbroken, resumed] = [path('gpu-unbroken'), path('gpu-resumed')];
    const printed = await printedBy(start(launcher, 2, [...onGpu, '--out', unbroken], software));
    expect(printed).toContain('on webgpu, each rank compares its 4 images with each other alone, and normalises');
    await printedBy(start(launcher, 2, [...onGpu, '--epochs', '1', '--out', resumed], software));
    await printedBy(start(launcher, 2, ['--resume', resumed, '--epochs', '2'], software));
    expect(metrics(unbroken)).toHaveLength(8);
    expect(metrics(resumed)).toEqual(metrics(unbroken));
    expect(weights(resumed) === weights(unbroken), 'bit for bit').toBe(true);
    const alone = await printedBy(start(launcher, 1, ['--resume', resumed, '--epochs', '3'], software));
    expect(alone).toContain('Each image is compared with others than before, and the losses differ');
  });

  it('prints its help once', async () => {
    expect((await ended(start(launcher, 2, ['--help']))).match(/^Usage: /gm)).toHaveLength(1);
  });
});
