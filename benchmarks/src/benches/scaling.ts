import { availableParallelism } from 'node:os';
import { simdEngine } from '@tfjs-ssl/engine-simd';
import type { Bench, BenchResult, Log } from '../bench.ts';
import { type IntegerOption, integerOption, type TextOption, UsageError } from '../options.ts';
import { layouts, type PyTorchStep, requireSameWork, startPyTorchStep } from '../pytorch-step.ts';
import { type QuietWatch, watchQuiet } from '../quiet.ts';
import { runtimeName } from '../runtime.ts';
import { simclrStep } from '../simclr-step.ts';
import { startEngine } from '../start-engine.ts';
import { significant, summarize } from '../statistics.ts';
import { type Contestant, inTurns } from '../turns.ts';

interface Options extends Record<string, IntegerOption | TextOption> {
  readonly 'batch-sizes': TextOption;
  readonly threads: TextOption;
  readonly rounds: IntegerOption;
  readonly width: IntegerOption;
  readonly 'image-size': IntegerOption;
}

const all = availableParallelism();
const options: Options = {
  'batch-sizes': { type: 'text', default: '32,64,128,256,512', help: 'images of a step; two views of each' },
  threads: { type: 'text', default: all > 1 ? `1,${all}` : '1', help: 'threads of the engine and of PyTorch' },
  rounds: integerOption(3, 1, 'rounds', 'times that the engine and PyTorch take turns, one step each'),
  width: integerOption(64, 1, 'channels', "channels of the encoder's first stage"),
  'image-size': integerOption(64, 8, 'pixels', 'side of the square views'),
};

/** One batch size on so many threads. */
interface Cell {
  readonly batchSize: number;
  readonly threads: number;
  /** null where the step does not fit into memory. */
  readonly viewsPerSecond: number | null;
  /** PyTorch in its better layout; null without PyTorch. */
  readonly rivalViewsPerSecond: number | null;
  readonly ratio: number | null;
  /** Why there are no figures. */
  readonly problem?: string;
}

/** How the training step's speed goes with the batch and with the threads, beside PyTorch's. */
export const scaling: Bench<Options> = {
  name: 'scaling',
  summary: 'views a second of the training step by batch size and threads on the CPU engine, against PyTorch in turns',
  options,
  async run(chosen, log) {
    const batchSizes = integers('batch-sizes', chosen['batch-sizes'], 2);
    const threadCounts = integers('threads', chosen.threads, 1);
    let rival: PyTorchStep | null = null;
    const watch = watchQuiet(() => rival?.cpuSeconds() ?? 0);
    await watch.look(500);
    const seconds = new Map<string, readonly number[]>();
    const cells: Cell[] = [];
    let machine = { device: '', version: '' };
    for (const threads of threadCounts) {
      const { device, version } = await startEngine(scaling.name, 'simd', threads);
      machine = { device: device.replace(/, \d+ threads?$/, ''), version };
      for (const batchSize of batchSizes) {
        const { width, 'image-size': imageSize, rounds } = chosen;
        const setRival = (step: PyTorchStep | null) => {
          rival = step;
        };
        const cell = await measure({ batchSize, threads, width, imageSize, rounds }, { watch, log, setRival, seconds });
        cells.push(cell);
        log(describe(cell));
      }
      await simdEngine.stop();
    }
    const quietness = watch.verdict(seconds);
    const runtime = runtimeName('simd');
    return {
      record: {
        bench: scaling.name,
        engine: 'simd',
        engineVersion: machine.version,
        device: machine.device,
        runtime,
        width: chosen.width,
        imageSize: chosen['image-size'],
        rounds: chosen.rounds,
        quiet: quietness.quiet,
        disturbances: quietness.disturbances,
        cells,
      },
      table: [
        ['step', `ResNet-18 of width ${chosen.width}, views of ${chosen['image-size']} pixels, float32`],
        ['machine', `${machine.device}; ${runtime}; ${machine.version}`],
        ...cells.map(
          (cell) =>
            [`${cell.batchSize} images, ${cell.threads} threads`, describe(cell).replace(/^.*?: /, '')] as const,
        ),
        ['quiet', quietness.quiet ? 'yes' : `NO, do not use these figures: ${quietness.disturbances.join('; ')}`],
      ],
    } satisfies BenchResult;
  },
};

function integers(name: string, text: string, minimum: number): number[] {
  const values = text.split(',').map(Number);
  if (!values.every((value) => Number.isInteger(value) && value >= minimum)) {
    throw new UsageError(
      `bench scaling: --${name} must be integers of at least ${minimum}, separated by commas, got '${text}'.`,
    );
  }
  return values;
}

interface Surroundings {
  readonly watch: QuietWatch;
  readonly log: Log;
  readonly seconds: Map<string, readonly number[]>;
  setRival(rival: PyTorchStep | null): void;
}

async function measure(
  size: Record<'batchSize' | 'threads' | 'width' | 'imageSize' | 'rounds', number>,
  { watch, log, seconds, setRival }: Surroundings,
): Promise<Cell> {
  const { batchSize, threads, rounds, width, imageSize } = size;
  const views = 2 * batchSize;
  const step = simclrStep({ views, imageSize, width });
  let rival: PyTorchStep | null = null;
  try {
    const files = { ...step, files: once(step.files) };
    await files.files(); // the weights of the start, for the rival
    const firstLoss = await step.run(1);
    const found = await startPyTorchStep(files, { threads, warmUp: 1 });
    if ('missing' in found) log(`no comparison with PyTorch: ${found.missing}`);
    else {
      rival = found;
      setRival(found);
      requireSameWork({ parameters: step.parameters, firstLoss }, found);
    }
    await step.run(1);
    const contestants: Contestant[] = [{ name: 'simd', round: () => step.time(1) }];
    for (const layout of rival ? layouts : []) {
      contestants.push({ name: layout, round: () => (rival as PyTorchStep).time(layout, 1) });
    }
    await watch.look(); // the rival's start is not counted
    const measured = await inTurns(contestants, { rounds, afterRound: () => watch.lap() });
    for (const [name, times] of measured) seconds.set(`${name}, ${batchSize} images, ${threads} threads`, times);
    const rate = (name: string) => views / summarize(measured.get(name)!).median;
    const [own, best] = [rate('simd'), rival ? Math.max(...layouts.map(rate)) : null];
    return {
      batchSize,
      threads,
      viewsPerSecond: significant(own),
      rivalViewsPerSecond: best && significant(best),
      ratio: best && significant(own / best, 3),
    };
  } catch (error) {
    if (!(error instanceof Error && error.message.includes('memory exhausted'))) throw error;
    const none = { viewsPerSecond: null, rivalViewsPerSecond: null, ratio: null };
    log(error.message);
    return { batchSize, threads, ...none, problem: 'memory exhausted' };
  } finally {
    rival?.stop();
    setRival(null);
    step.dispose();
  }
}

function once<T>(f: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= f();
    return result;
  };
}

function describe({ batchSize, threads, viewsPerSecond, rivalViewsPerSecond, ratio, problem }: Cell): string {
  const what = `${batchSize} images, ${threads} threads`;
  if (problem) return `${what}: ${problem}`;
  const rival = ratio === null ? 'no rival' : `PyTorch ${rivalViewsPerSecond}, ratio ${ratio}`;
  return `${what}: ${viewsPerSecond} views/s, ${rival}`;
}
