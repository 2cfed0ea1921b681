import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { epochMeans, gpuTable } from './gpu-table.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gpu-table-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const write = (name: string, ...values: object[]) =>
  writeFileSync(join(folder, name), values.map((value) => JSON.stringify(value)).join('\n'));
const step = (epoch: number, loss: number) => ({
  step: 0,
  epoch,
  loss,
  metrics: { top1: loss / 10, top5: 0.5 },
  seconds: { load: 1, step: 2 },
});

it('means the steps of every epoch', () => {
  const lines = [step(0, 4), step(0, 2), step(1, 1)].map((line) => `${JSON.stringify(line)}\n`).join('');
  expect(epochMeans(lines)).toEqual([
    { epoch: 1, loss: 3, top1: expect.closeTo(0.3), top5: 0.5, seconds: 6 },
    { epoch: 2, loss: 1, top1: 0.1, top5: 0.5, seconds: 3 },
  ]);
  expect(epochMeans('')).toEqual([]);
});

it('has no lines for what has not been measured', async () => {
  expect(await gpuTable(folder)).toEqual([]);
});

it('names a file that is broken', async () => {
  writeFileSync(join(folder, 'correct.json'), '{} {}');
  await expect(gpuTable(folder)).rejects.toThrow(/correct\.json is not JSON: .* Remove it, or measure it again\.$/);
});

it('sets ours beside theirs', async () => {
  write('device.json', {
    device: 'a card',
    runtime: 'Node.js 20',
    date: '2026-01-02',
    multiplyAddTeraflops: 60,
    matrixTeraflops: null,
    copyGigabytesPerSecond: 3000,
  });
  write('correct.json', { numPassedTests: 7, numFailedTests: 1, numPendingTests: 2 });
  write('step-mixed.json', {
    milliseconds: 8,
    viewsPerSecond: 64_000,
    spread: [7.9, 8.1],
    split: { augment: 0.5, host: 1 },
    batchSize: 256,
    disturbances: ['the rounds of resident tf32 differ by 40 % of their median'],
    missing: ['python3: no module named torch\nat all'],
    rivals: [
      {
        ...{ rival: 'paper_stack', version: 'PyTorch 2', cuda: null, cudnn: null, device: 'a card', workers: 16 },
        ...{ kinds: [{ kind: 'float16', ratio: 5, milliseconds: 40 }], failed: {} },
      },
      {
        ...{ rival: 'resident', version: 'PyTorch 2', cuda: '13.0', cudnn: 91900, device: 'a card', workers: null },
        kinds: [
          { kind: 'float16 graphs', ratio: 1, milliseconds: 8 },
          { kind: 'bfloat16', ratio: 1.25, milliseconds: 10 },
          { kind: 'float16', ratio: 1.5, milliseconds: 12 },
        ],
        failed: { 'bfloat16 graphs': 'Error: cannot be replayed\nbecause' },
      },
    ],
  });
  write('rivals-float32.json', {
    ...{ milliseconds: 20, viewsPerSecond: 25_600, spread: [19, 21], split: { host: 1 }, batchSize: 256 },
    ...{ disturbances: [], missing: [], rivals: [] },
  });
  writeFileSync(join(folder, 'seconds.txt'), 'look 9 10\npaper 200 340\nkernels 100 \npaper 100 340\n');
  write('capture.json', { dispatches: 200, hostMs: 1, eagerMs: 40, batchSize: 256 });
  write('kernels-float32.json', { milliseconds: { forward: 4, inputGradient: 5 } });
  write('paper-metrics.jsonl', step(0, 4), step(0, 2));
  write('paper-summary.json', { seconds: 600, data: 'tiny-imagenet' });
  write('paper-evaluate.json', { knn: { 20: 0.25 }, linear: 0.4 });
  write(
    'pytorch.json',
    { epoch: 1, loss: 3.03, top1: 0.3, seconds: 30, version: '2' },
    { epoch: 2, loss: 2, top1: 0.4, seconds: 29, version: '2' },
  );
  expect(await gpuTable(folder)).toMatchInlineSnapshot(`
    [
      [
        "device",
        "a card",
      ],
      [
        "with",
        "Node.js 20; 2026-01-02",
      ],
      [
        "measured peaks",
        "60 TFLOP/s multiply-adds, no TFLOP/s matrix units, 3000 GB/s",
      ],
      [
        "tests of the kernels",
        "7 passed, 1 failed, 2 skipped",
      ],
      [
        "step of 256 images, mixed",
        "8 ms (7.9 to 8.1), 64000 views/s",
      ],
      [
        "",
        "augment 0.5, host 1 ms",
      ],
      [
        "  ratio to paper_stack, float16",
        "5 (eager 40 ms)",
      ],
      [
        "",
        "PyTorch 2 on a card, 16 processes",
      ],
      [
        "  ratio to resident, float16",
        "1 (graphs 8 ms, eager 12 ms)",
      ],
      [
        "  ratio to resident, bfloat16",
        "1.25 (eager 10 ms)",
      ],
      [
        "",
        "PyTorch 2, CUDA 13.0, cuDNN 91900 on a card",
      ],
      [
        "  resident, bfloat16 graphs",
        "FAILED: Error: cannot be replayed because",
      ],
      [
        "  no comparison",
        "python3: no module named torch at all",
      ],
      [
        "  UNEVEN ROUNDS",
        "the rounds of resident tf32 differ by 40 % of their median",
      ],
      [
        "step of 256 images, float32",
        "20 ms (19 to 21), 25600 views/s",
      ],
      [
        "",
        "host 1 ms",
      ],
      [
        "host time of a replay",
        "1 ms for 200 dispatches (256 images); ratio to a step without recording 40",
      ],
      [
        "convolutions, float32",
        "forward 4 ms, inputGradient 5 ms",
      ],
      [
        "run paper, tiny-imagenet",
        "1 epochs, 600 s",
      ],
      [
        "",
        "epoch 1: loss 3.0000, top-1 30.0 %, top-5 50.0 %",
      ],
      [
        "",
        "kNN k=20 25.0 %, linear probe 40.0 %",
      ],
      [
        "  epoch 1 in PyTorch 2",
        "loss 3.0300, top-1 30.0 %, 30.0 s; our loss differs by -0.99 %, ratio of times 5",
      ],
      [
        "  epoch 2 in PyTorch 2",
        "loss 2.0000, top-1 40.0 %, 29.0 s; not trained by us",
      ],
      [
        "seconds",
        "look 9 of 10, paper 300 of 340, kernels 100; together 409",
      ],
    ]
  `);
});
