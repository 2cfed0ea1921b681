import { afterEach, describe, expect, it, vi } from 'vitest';
import { runCli } from './cli.ts';

async function bench(...args: string[]) {
  const out: string[] = [];
  const errors: string[] = [];
  const code = await runCli(args, { out: (line) => out.push(line), error: (line) => errors.push(line) });
  return { code, out: out.join('\n'), errors: errors.join('\n') };
}

/** Small enough for the stock cpu engine. */
const tiny = [
  '--engine',
  'cpu',
  '--width',
  '4',
  '--image-size',
  '16',
  '--batch-size',
  '2',
  '--rounds',
  '2',
  '--steps',
  '1',
];

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('bench', () => {
  it('lists the benches', async () => {
    const { code, out } = await bench('--help');
    expect(code).toBe(0);
    expect(out).toMatch(/^ +train-step +one training step/m);
  });

  it('states units and defaults', async () => {
    const { code, out } = await bench('train-step', '--help');
    expect(code).toBe(0);
    expect(out).toContain(
      'images per step; each gives two views, so a step has twice as many rows (images; default 32)',
    );
  });

  it('ends with 2 for a name or an option that it does not know, listing those it knows', async () => {
    expect(await bench('train-stap')).toMatchObject({
      code: 2,
      out: '',
      errors: expect.stringMatching(/no bench 'train-stap'[\s\S]*train-step/),
    });
    expect(await bench()).toMatchObject({ code: 2, errors: expect.stringMatching(/got none[\s\S]*train-step/) });
    expect(await bench('train-step', '--batchsize', '4')).toMatchObject({
      code: 2,
      errors: expect.stringMatching(/--batchsize.*--batch-size/),
    });
    expect(await bench('train-step', '--engine', 'abacus')).toMatchObject({
      code: 2,
      errors: expect.stringMatching(/^bench train-step: --engine must .*'abacus'/),
    });
  });
});

describe('bench train-step', () => {
  it('prints one line of JSON, without a rival where there is no Python', async () => {
    vi.stubEnv('PYTHON', '/nonexistent/python3');
    const { code, out, errors } = await bench('train-step', ...tiny, '--json');
    expect(errors).toContain('no comparison with PyTorch: /nonexistent/python3 cannot be started');
    expect(code).toBe(0);
    expect(out).not.toContain('\n');
    const record = JSON.parse(out);
    expect(record).toMatchObject({
      engine: 'cpu',
      batchSize: 2,
      rounds: 2,
      rival: null,
      rivalViewsPerSecond: null,
      ratio: null,
      quiet: expect.any(Boolean),
      device: expect.any(String),
      runtime: expect.stringContaining(process.versions.node),
    });
    // Two rounds of one step of four rows: the medians of the rates and of the times belong together but for rounding.
    const [slowest, fastest] = record.spread.viewsPerSecond;
    expect(4000 / record.milliseconds).toBeGreaterThan(0.99 * slowest);
    expect(4000 / record.milliseconds).toBeLessThan(1.01 * fastest);
    expect(record.viewsPerSecond).toBeGreaterThanOrEqual(slowest);
    expect(record.viewsPerSecond).toBeLessThanOrEqual(fastest);
  });

  it('does the same work as PyTorch, where that is installed', async ({ skip }) => {
    const { code, out, errors } = await bench('train-step', ...tiny, '--threads', '1');
    expect(errors).toMatch(/rival PyTorch|no comparison with PyTorch/);
    expect(code).toBe(0);
    if (errors.includes('no comparison')) skip('there is no PyTorch on this machine');
    expect(out).toMatch(/PyTorch \S+, .+ [\d.]+ \([\d.]+ to [\d.]+\) views\/s; ratio/);
    expect(out).toMatch(/ratio +[\d.]+ of the fastest float32 PyTorch/);
  });
});

describe('bench train-step with choices that there are not', () => {
  it('ends with 2', async () => {
    expect(await bench('train-step', '--engine', 'simd', '--precision', 'mixed')).toMatchObject({
      code: 2,
      errors: expect.stringContaining("--precision must be one of float32 on this engine, got 'mixed'"),
    });
    expect(await bench('train-step', '--engine', 'simd', '--compile', 'max-autotune')).toMatchObject({
      code: 2,
      errors: expect.stringContaining("--compile must be one of yes, no, got 'max-autotune'"),
    });
    expect(await bench('large-batch', '--chunk', '60')).toEqual({
      code: 2,
      out: '',
      errors: "bench large-batch: --chunk must divide --batch-size 512, got '60'.",
    });
  });
});

describe('bench layers', () => {
  it('trains both networks and compares them', async () => {
    const tiny = ['--engine', 'simd', '--batch-size', '4', '--rounds', '1', '--steps', '1', '--optimizer', 'momentum'];
    const { code, out } = await bench('layers', ...tiny, '--json');
    expect(code).toBe(0);
    const record = JSON.parse(out);
    expect(record).toMatchObject({ bench: 'layers', engine: 'simd', optimizer: 'momentum', batchSize: 4 });
    expect(record.ratio).toBeGreaterThan(0);
    expect(record.parameters).toBe(115_722);
  });

  it('knows which optimizers there are', async () => {
    expect(await bench('layers', '--optimizer', 'lion')).toMatchObject({
      code: 2,
      errors: expect.stringContaining('--optimizer must be one of adam, sgd, momentum'),
    });
  });
});

describe('bench methods', () => {
  it('lets methods take turns with SimCLR', async () => {
    const tiny = ['--batch-size', '4', '--image-size', '32', '--rounds', '2', '--steps', '1'];
    const { code, out } = await bench('methods', ...tiny, '--methods', 'byol,swav', '--json');
    expect(code).toBe(0);
    const { methods, ...record } = JSON.parse(out);
    expect(record).toMatchObject({ bench: 'methods', engine: 'simd', batchSize: 4, rounds: 2 });
    expect(methods.map(({ method }: { method: string }) => method)).toEqual(['simclr', 'byol', 'swav']);
    expect(methods[0].timesSimclr).toBe(1);
    expect(methods.every(({ milliseconds }: { milliseconds: number }) => milliseconds > 0)).toBe(true);
  });

  it('ends with 2 for a method that there is not', async () => {
    expect(await bench('methods', '--methods', 'byol,simclr2')).toMatchObject({
      code: 2,
      errors: expect.stringContaining("or all, got 'simclr2'"),
    });
  });
});

describe('bench gpu-kernels', () => {
  it('ends with 2 for a network or a precision that there is not', async () => {
    expect(await bench('gpu-kernels', '--network', 'vgg')).toMatchObject({
      code: 2,
      errors: "bench gpu-kernels: --network must be one of resnet18, resnet50, got 'vgg'.",
    });
    expect(await bench('gpu-kernels', '--precision', 'half')).toMatchObject({
      code: 2,
      errors: "bench gpu-kernels: --precision must be one of float32, mixed, got 'half'.",
    });
  });
});

describe('bench augment', () => {
  it('makes views, without a rival where there is no Python', async () => {
    vi.stubEnv('PYTHON', '/nonexistent/python3');
    const tiny = ['--engine', 'simd', '--batch-size', '4', '--image-size', '16', '--rounds', '1', '--batches', '1'];
    const { code, out, errors } = await bench('augment', ...tiny, '--json');
    vi.unstubAllEnvs();
    expect(code).toBe(0);
    expect(errors).toContain('no comparison with torchvision');
    const record = JSON.parse(out);
    expect(record).toMatchObject({ bench: 'augment', engine: 'simd', rival: null, ratio: null });
    expect(record.viewsPerSecond).toBeGreaterThan(0);
  });
});
