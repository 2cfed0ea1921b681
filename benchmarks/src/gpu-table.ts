import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { significant } from './statistics.ts';
import { arithmeticOf } from './whole-step-rivals.ts';

/** A line of the table. */
export type Line = readonly [label: string, value: string];

/** What results hold, as far as the table shows it. */
interface StepRecord {
  readonly milliseconds: number;
  readonly viewsPerSecond: number;
  readonly spread: readonly number[];
  readonly split: Readonly<Record<string, number>>;
  readonly batchSize: number;
  readonly disturbances: readonly string[];
  readonly rivals: readonly RivalRecord[];
  readonly missing: readonly string[];
}

interface RivalRecord {
  readonly rival: string;
  readonly version: string;
  readonly cuda: string | null;
  readonly cudnn: number | null;
  readonly device: string;
  readonly workers: number | null;
  /** Fastest first. */
  readonly kinds: ReadonlyArray<{ readonly kind: string; readonly ratio: number; readonly milliseconds: number }>;
  readonly failed: Readonly<Record<string, string>>;
}

interface Summary {
  readonly seconds?: number;
  readonly steps?: number;
  readonly device?: string;
  readonly data?: string;
}

interface EpochMeans {
  readonly epoch: number;
  readonly loss: number;
  readonly top1: number;
  readonly top5: number;
  /** Of all its steps. */
  readonly seconds: number;
}

/** The paper's own time for 50 epochs, seconds: 4 min 46 s each. */
const PAPER_SECONDS = 50 * 286;

/** What the paper prints of its last epoch: three single batches. */
const PAPER_LINES = 'loss 1.56 to 1.97, top-1 61.3 to 72.5 %, top-5 75.6 to 84.0 %';

/** Reads the results of `gpu.sh` and makes one table of them; what has not been measured is left out. */
export async function gpuTable(folder: string): Promise<Line[]> {
  const text = (name: string) => readFile(join(folder, name), 'utf8').catch(() => null);
  const json = async <T>(name: string): Promise<T | null> => {
    const content = await text(name);
    if (content === null || content.trim() === '') return null;
    try {
      return JSON.parse(content) as T;
    } catch (error) {
      const { message } = error as Error;
      throw new Error(`gpu-table: ${join(folder, name)} is not JSON: ${message}. Remove it, or measure it again.`);
    }
  };
  const lines: Line[] = [];

  const device = await json<Record<string, unknown>>('device.json');
  if (device) {
    const { multiplyAddTeraflops, matrixTeraflops, copyGigabytesPerSecond } = device;
    lines.push(
      ['device', `${device.device}`],
      ['with', `${device.runtime}; ${device.date}`],
      [
        'measured peaks',
        `${multiplyAddTeraflops} TFLOP/s multiply-adds, ${matrixTeraflops ?? 'no'} TFLOP/s matrix units, ${copyGigabytesPerSecond} GB/s`,
      ],
    );
  }
  for (const [name, label] of [
    ['correct', 'tests of the kernels'],
    ['suite', 'tests of ops and blocks'],
  ]) {
    const tests = await json<{ numPassedTests: number; numFailedTests: number; numPendingTests: number }>(
      `${name}.json`,
    );
    if (!tests) continue;
    const { numPassedTests: passed, numFailedTests: wrong, numPendingTests: skipped } = tests;
    lines.push([`${label}`, `${passed} passed, ${wrong} failed, ${skipped} skipped`]);
  }
  for (const precision of ['mixed', 'float32']) {
    const step = await json<StepRecord>(`step-${precision}.json`);
    const shown = (await json<StepRecord>(`rivals-${precision}.json`)) ?? step;
    if (shown) lines.push(...stepLines(precision, shown));
    const unchecked = await json<StepRecord>(`step-${precision}-unchecked.json`);
    if (step && unchecked) {
      const { milliseconds, spread } = unchecked;
      const than = ratio(step.milliseconds, milliseconds);
      lines.push(['  without checks of indices', `${milliseconds} ms (${spread.join(' to ')}), ratio ${than}`]);
    }
  }
  const capture = await json<{ dispatches: number; hostMs: number; eagerMs: number; batchSize: number }>(
    'capture.json',
  );
  if (capture) {
    const { dispatches, hostMs, eagerMs, batchSize } = capture;
    lines.push([
      'host time of a replay',
      `${hostMs} ms for ${dispatches} dispatches (${batchSize} images); ratio to a step without recording ${ratio(eagerMs, hostMs)}`,
    ]);
  }
  for (const precision of ['mixed', 'float32']) {
    const kernels = await json<{ milliseconds: Record<string, number> }>(`kernels-${precision}.json`);
    if (!kernels) continue;
    const passes = Object.entries(kernels.milliseconds).map(([pass, value]) => `${pass} ${value} ms`);
    lines.push([`convolutions, ${precision}`, passes.join(', ')]);
  }
  for (const preset of ['paper', 'baseline']) {
    const metrics = await text(`${preset}-metrics.jsonl`);
    if (metrics === null) continue;
    const epochs = epochMeans(metrics);
    lines.push(...runLines(preset, epochs, await json<Summary>(`${preset}-summary.json`)));
    const features = await json<{ knn: Record<string, number>; linear: number }>(`${preset}-evaluate.json`);
    if (features) {
      const neighbours = Object.entries(features.knn).map(([k, value]) => `kNN k=${k} ${percent(value)}`);
      lines.push(['', `${neighbours.join(', ')}, linear probe ${percent(features.linear)}`]);
    }
    if (preset === 'paper') lines.push(...(await pytorchLines(await text('pytorch.json'), epochs)));
  }
  const seconds = await text('seconds.txt');
  if (seconds !== null) lines.push(...secondsLines(seconds));
  return lines;
}

/** What every stage took, all its calls together, beside its share. */
function secondsLines(text: string): Line[] {
  const stages = new Map<string, { took: number; share: string }>();
  for (const line of text.trim().split('\n')) {
    const [name, took, share = ''] = line.split(' ') as [string, string, string?];
    stages.set(name, { took: (stages.get(name)?.took ?? 0) + Number(took), share });
  }
  const shown = [...stages].map(([name, { took, share }]) => `${name} ${took}${share && ` of ${share}`}`);
  const total = [...stages.values()].reduce((sum, { took }) => sum + took, 0);
  return [['seconds', `${shown.join(', ')}; together ${total}`]];
}

function stepLines(precision: string, step: StepRecord): Line[] {
  const { milliseconds, spread, viewsPerSecond, batchSize, split, disturbances, rivals, missing } = step;
  const parts = Object.entries(split).map(([name, value]) => `${name} ${value}`);
  return [
    [
      `step of ${batchSize} images, ${precision}`,
      `${milliseconds} ms (${spread.join(' to ')}), ${viewsPerSecond} views/s`,
    ],
    ['', `${parts.join(', ')} ms`],
    ...rivals.flatMap(rivalLines),
    ...missing.map((reason): Line => ['  no comparison', onOneLine(reason)]),
    ...disturbances.map((reason): Line => ['  UNEVEN ROUNDS', reason]),
  ];
}

/** A line for each arithmetic of a rival, the ratio being that to its fastest way. */
function rivalLines({ rival, version, cuda, cudnn, device, workers, kinds, failed }: RivalRecord): Line[] {
  const byArithmetic = new Map<string, (typeof kinds)[number][]>();
  for (const each of kinds) {
    const arithmetic = arithmeticOf(each.kind);
    byArithmetic.set(arithmetic, [...(byArithmetic.get(arithmetic) ?? []), each]);
  }
  const software = cuda === null ? version : `${version}, CUDA ${cuda}, cuDNN ${cudnn}`;
  const processes = workers === null ? '' : `, ${workers} processes`;
  return [
    ...[...byArithmetic].map(([arithmetic, ways]): Line => {
      const times = ways.map(({ kind, milliseconds }) => {
        return `${kind.slice(arithmetic.length + 1) || 'eager'} ${milliseconds} ms`;
      });
      return [`  ratio to ${rival}, ${arithmetic}`, `${ways[0]!.ratio} (${times.join(', ')})`];
    }),
    ['', `${software} on ${device}${processes}`],
    ...Object.entries(failed).map(([kind, reason]): Line => [`  ${rival}, ${kind}`, `FAILED: ${onOneLine(reason)}`]),
  ];
}

const onOneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, 250);

/** Means of every epoch of a run's `metrics.jsonl`. */
export function epochMeans(metrics: string): EpochMeans[] {
  const sums = new Map<number, { count: number; loss: number; top1: number; top5: number; seconds: number }>();
  for (const line of metrics.trim().split('\n')) {
    if (line === '') continue;
    const record = JSON.parse(line) as {
      epoch: number;
      loss: number;
      metrics: { top1: number; top5: number };
      seconds: Readonly<Record<string, number>>;
    };
    const sum = sums.get(record.epoch) ?? { count: 0, loss: 0, top1: 0, top5: 0, seconds: 0 };
    sum.count++;
    sum.loss += record.loss;
    sum.top1 += record.metrics.top1;
    sum.top5 += record.metrics.top5;
    for (const part of Object.values(record.seconds)) sum.seconds += part;
    sums.set(record.epoch, sum);
  }
  return [...sums].map(([epoch, { count, loss, top1, top5, seconds }]) => ({
    epoch: epoch + 1,
    loss: loss / count,
    top1: top1 / count,
    top5: top5 / count,
    seconds,
  }));
}

function runLines(preset: string, epochs: readonly EpochMeans[], summary: Summary | null): Line[] {
  const last = epochs.at(-1);
  if (!last) return [];
  const { seconds, data } = summary ?? {};
  const time =
    seconds === undefined
      ? 'not finished'
      : `${seconds} s${preset === 'paper' && epochs.length === 50 ? `; ratio to the paper's time ${ratio(PAPER_SECONDS, seconds)}` : ''}`;
  return [
    [`run ${preset}${data ? `, ${data}` : ''}`, `${epochs.length} epochs, ${time}`],
    ['', `epoch ${last.epoch}: loss ${last.loss.toFixed(4)}, top-1 ${percent(last.top1)}, top-5 ${percent(last.top5)}`],
    ...(preset === 'paper' && last.epoch === 50 ? [['', `the paper's: ${PAPER_LINES}`] as const] : []),
  ];
}

async function pytorchLines(text: string | null, ours: readonly EpochMeans[]): Promise<Line[]> {
  if (text === null) return [];
  const theirs = text
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as EpochMeans & { seconds: number; version: string; missing?: string });
  return theirs.map(({ epoch, loss, top1, seconds, version, missing }): Line => {
    if (missing) return ['  epochs in PyTorch', `none: ${missing}`];
    const own = ours.find((means) => means.epoch === epoch);
    const difference = own
      ? `our loss differs by ${((100 * (own.loss - loss)) / loss).toFixed(2)} %, ratio of times ${ratio(seconds, own.seconds)}`
      : 'not trained by us';
    return [
      `  epoch ${epoch} in PyTorch ${version}`,
      `loss ${loss.toFixed(4)}, top-1 ${percent(top1)}, ${seconds.toFixed(1)} s; ${difference}`,
    ];
  });
}

const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
const ratio = (a: number, b: number): number => significant(a / b, 3);
